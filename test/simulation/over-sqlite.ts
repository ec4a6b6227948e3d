import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import type { BuildQueue } from '#core/build/ports.ts';
import { beside, inOneOrder } from './ports/beside.ts';
import { workDirectory } from './ports/work-directory.ts';
import type { WorldOptions } from './world.ts';

/**
 * Returns the ports of a standalone server: SQLite and a directory. The queue is the real one alone, on the simulated
 * clock, since the one in memory delivers in another order.
 */
export const overSqlite =
  (db: DatabaseSync, directory: string): NonNullable<WorldOptions['over']> =>
  (inMemory, { time, differs }) => {
    const work = workDirectory(join(directory, 'work'), inMemory.disk);
    const table = beside(inMemory.builds, sqliteBuildTable(db), { name: 'builds', differs });
    const countMessages = db.prepare('SELECT count(*) AS count FROM messages');
    return {
      builds: table,
      buildsBehind: table,
      positionsOfProcess: () => beside(inMemory.positionsOfProcess(), sqliteQueuePositions(db), { name: 'positions', differs }),
      sweep: beside(inMemory.sweep, sqliteBuildSweep(db, time), { name: 'sweep', differs, common: inOneOrder }),
      queue: withoutWaiting(sqliteBuildQueue(db, { clock: { boot: 'simulated', milliseconds: time } })),
      messagesLeft: () => Number(countMessages.get()?.['count']),
      artifacts: beside(inMemory.artifacts, diskArtifactStore(join(directory, 'artifacts')), {
        name: 'artifacts',
        differs,
        realInput: work.realInput,
      }),
      records: sqliteRecordStore(db),
      statistics: beside(inMemory.statistics, sqliteStatistics(db), { name: 'statistics', differs, common: inOneOrder }),
      disk: work.disk,
    };
  };

/** Returns the queue with a `receive` that looks once: it begins to look before the signal aborts. */
const withoutWaiting = (queue: BuildQueue): BuildQueue => ({
  ...queue,
  receive: ({ visibilitySeconds }) => {
    const once = new AbortController();
    const received = queue.receive({ visibilitySeconds, signal: once.signal });
    once.abort();
    return received;
  },
});
