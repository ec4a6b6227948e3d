import type { Build, BuildState, QueuedBuild } from '#core/build/build.ts';
import type { BuildSweep, QueuePositions } from '#core/build/ports.ts';
import type { MemoryBuildTable } from './memory-build-table.ts';

/**
 * Returns the places in the queue for one process, as they were some time ago, and never earlier than in an answer
 * before. A build that was not in the queue then is looked for in the rows as they are.
 */
export function memoryQueuePositions(table: MemoryBuildTable, time: () => number, lagMs: () => number): QueuePositions {
  let then = Number.NEGATIVE_INFINITY;
  const rowsThen = () => {
    then = Math.max(then, time() - lagMs());
    return rowsAsOf(table, then);
  };
  return {
    waiting: async () => inState(rowsThen(), 'queued').length,
    running: async () => inState(rowsThen(), 'building').length,
    ahead: async ({ hash, ticket }) => {
      const rows = rowsThen();
      return aheadOf(rows.some((row) => row.hash === hash && row.ticket === ticket) ? rows : table.rows(), hash);
    },
    oldest: async () => {
      const times = inState(rowsThen(), 'queued').map(({ queuedAt }) => queuedAt);
      return times.length === 0 ? undefined : new Date(times.sort()[0] as string);
    },
  };
}

/** Returns the number of waiting builds with a lower ticket than this build, which waits. */
function aheadOf(rows: readonly Build[], hash: string): number {
  const waiting = inState(rows, 'queued');
  const own = waiting.find((row) => row.hash === hash);
  return own === undefined ? 0 : waiting.filter(({ ticket = 0 }) => ticket < (own.ticket ?? 0)).length;
}

/** Returns the sweeper's lists, each as it was some time ago. */
export function memoryBuildSweep(table: MemoryBuildTable, time: () => number, lagMs: () => number): BuildSweep {
  const rowsThen = () => rowsAsOf(table, time() - lagMs());
  const by = (key: (row: Build) => string | undefined, before: Date, ahead: Date | undefined, limit: number, rows: readonly Build[]) => {
    const at = (row: Build) => key(row) ?? '';
    const sorted = rows.filter((row) => key(row) !== undefined).sort((a, b) => (at(a) < at(b) ? -1 : 1));
    const early = ahead === undefined ? [] : sorted.filter((row) => at(row) > ahead.toISOString());
    return [...early, ...sorted.filter((row) => at(row) < before.toISOString())].slice(0, limit);
  };
  return {
    unsent: async (before, limit, ahead) => {
      const rows = inState(rowsThen(), 'queued').filter(({ sentAt }) => sentAt === undefined);
      return by((row) => (row as QueuedBuild).queuedAt, before, ahead, limit, rows) as QueuedBuild[];
    },
    stale: async (before, limit, ahead) =>
      by((row) => (row as QueuedBuild).sentAt, before, ahead, limit, inState(rowsThen(), 'queued')) as QueuedBuild[],
    leased: async (limit) =>
      rowsThen()
        .filter((row) => row.state === 'building' || row.state === 'expiring')
        .sort((a, b) => (a.lease.expiresAt < b.lease.expiresAt ? -1 : 1))
        .slice(0, limit),
    expired: async (now, limit) => {
      const ended = rowsThen().filter((row) => row.state === 'done' || row.state === 'failed' || row.state === 'cancelled');
      return by((row) => ('expiresAt' in row ? row.expiresAt : undefined), now, undefined, limit, ended) as typeof ended;
    },
  };
}

const rowsAsOf = (table: MemoryBuildTable, timeMs: number): Build[] =>
  [...table.hashes()].map((hash) => table.asOf(hash, timeMs)).filter((row) => row !== undefined);

const inState = <State extends BuildState>(rows: readonly Build[], state: State) =>
  rows.filter((row): row is Extract<Build, { state: State }> => row.state === state);
