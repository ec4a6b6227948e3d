import type { Build, BuildState, QueuedBuild } from '#core/build/build.ts';
import type { BuildSweep, QueuePositions } from '#core/build/ports.ts';
import type { MemoryBuildTable } from './memory-build-table.ts';

/** Returns the places in the queue, from the rows as they are. */
export const memoryQueuePositions = (table: MemoryBuildTable): QueuePositions => ({
  waiting: async () => inState(table.rows(), 'queued').length,
  running: async () => inState(table.rows(), 'building').length,
  ahead: async ({ hash }) => aheadOf(table.rows(), hash),
  oldest: async () => {
    const times = inState(table.rows(), 'queued').map(({ queuedAt }) => queuedAt);
    return times.length === 0 ? undefined : new Date(times.sort()[0] as string);
  },
});

/** Returns the number of waiting builds with a lower ticket than this build, which waits. */
export function aheadOf(rows: readonly Build[], hash: string): number {
  const waiting = inState(rows, 'queued');
  const own = waiting.find((row) => row.hash === hash);
  return own === undefined ? 0 : waiting.filter(({ ticket = 0 }) => ticket < (own.ticket ?? 0)).length;
}

/** Returns the sweeper's lists, each as it was some time ago. */
export function memoryBuildSweep(table: MemoryBuildTable, time: () => number, lagMs: () => number): BuildSweep {
  const rowsThen = () => {
    const then = time() - lagMs();
    return [...table.hashes()].map((hash) => table.asOf(hash, then)).filter((row) => row !== undefined);
  };
  const by = (key: (row: Build) => string | undefined, before: Date, ahead: Date | undefined, limit: number, rows: readonly Build[]) => {
    const isDue = (row: Build) => {
      const at = key(row);
      return at !== undefined && (at < before.toISOString() || (ahead !== undefined && at > ahead.toISOString()));
    };
    return rows
      .filter(isDue)
      .sort((a, b) => ((key(a) ?? '') < (key(b) ?? '') ? -1 : 1))
      .slice(0, limit);
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
        .slice(0, limit),
    expired: async (now, limit) => {
      const ended = rowsThen().filter((row) => row.state === 'done' || row.state === 'failed' || row.state === 'cancelled');
      return by((row) => ('expiresAt' in row ? row.expiresAt : undefined), now, undefined, limit, ended) as typeof ended;
    },
  };
}

const inState = <State extends BuildState>(rows: readonly Build[], state: State) =>
  rows.filter((row): row is Extract<Build, { state: State }> => row.state === state);
