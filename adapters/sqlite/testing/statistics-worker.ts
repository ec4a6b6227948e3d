import type { BuildEnd } from '#core/statistics/counts.ts';
import { openSqlite } from '../open-sqlite.ts';
import { sqliteStatistics } from '../statistics.ts';

/**
 * The work of one test process: it counts hits one by one and reports every end, and answers how many ends were new.
 */
export interface StatisticsWork {
  readonly hits: number;
  readonly at: string;
  readonly ends: readonly BuildEnd[];
}

const statistics = sqliteStatistics(openSqlite(process.argv[2] as string));

async function perform({ hits, at, ends }: StatisticsWork): Promise<number> {
  let isNew = 0;
  for (let i = 0; i < Math.max(hits, ends.length); i++) {
    if (i < hits) await statistics.count({ at, hits: 1, joined: 0, rejected: 0, clients: { 'owut/1': 1 }, subjects: {} });
    const end = ends[i];
    if (end !== undefined) await statistics.started(end);
    if (end !== undefined && (await statistics.ended(end))) isNew++;
  }
  return isNew;
}

process.on('message', (work: StatisticsWork) => void perform(work).then((answer) => process.send?.(answer)));
process.send?.('open');
