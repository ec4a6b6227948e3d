import { type Build, isReplaceable, isStill, isTransition } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';

/** One write of a row. */
export interface RowWrite {
  readonly hash: RequestHash;
  readonly before: Build | undefined;
  readonly after: Build | undefined;
  readonly isClaim: boolean;
  readonly timeMs: number;
}

export interface MemoryBuildTable extends BuildTable {
  /** Returns the row as it was at this time. */
  asOf(hash: RequestHash, timeMs: number): Build | undefined;
  rows(): readonly Build[];
  hashes(): Iterable<RequestHash>;
  /** The writes of one hash, oldest first. */
  writesOf(hash: RequestHash): readonly RowWrite[];
  /** The same table for readers whose reads may be behind (`BuildTable.get`). */
  behind(lagMs: () => number): BuildTable;
}

/** A build table in memory that remembers every version of each row. `onWrite` may throw when a write breaks a promise. */
export function memoryBuildTable(time: () => number, onWrite: (write: RowWrite) => void): MemoryBuildTable {
  const rows = new Map<RequestHash, { readonly row: Build; readonly order: BuildOrder }>();
  const writes = new Map<RequestHash, RowWrite[]>();
  let tickets = 0;

  const noted = (hash: RequestHash, before: Build | undefined, after: Build | undefined, isClaim = false) => {
    const write = { hash, before, after, isClaim, timeMs: time() };
    const known = writes.get(hash);
    if (known === undefined) writes.set(hash, [write]);
    else known.push(write);
    onWrite(write);
  };
  const current = (hash: RequestHash) => rows.get(hash)?.row;
  const asOf = (hash: RequestHash, timeMs: number) => writes.get(hash)?.findLast((write) => write.timeMs <= timeMs)?.after;

  const table: BuildTable = {
    get: async (hash) => current(hash),
    order: async (hash) => rows.get(hash)?.order,
    claim: async (build, order, now, { over } = {}) => {
      const before = current(build.hash);
      if (before !== undefined && (over === undefined || !isReplaceable(before, now) || !isStill(over, before)))
        return { won: false, current: before };
      tickets += 1;
      const row = { ...build, ticket: tickets };
      rows.set(build.hash, { row, order });
      noted(build.hash, before, row, true);
      return { won: true, current: row };
    },
    transition: async (from, to, { lapsedAt } = {}) => {
      const known = rows.get(from.hash);
      const isMovable =
        known !== undefined &&
        from.hash === to.hash &&
        isTransition(from.state, to.state) &&
        isStill(from, known.row) &&
        (lapsedAt === undefined || ('lease' in known.row && known.row.lease.expiresAt <= lapsedAt.toISOString()));
      if (!isMovable) return { moved: false, current: known?.row };
      const { ticket } = known.row;
      const row = { ...to, ...(ticket !== undefined && { ticket }) };
      rows.set(from.hash, { row, order: known.order });
      noted(from.hash, known.row, row);
      return { moved: true, current: row };
    },
    remove: async (from) => {
      const row = current(from.hash);
      if (row?.state !== 'expiring' || !isStill(from, row)) return false;
      rows.delete(from.hash);
      noted(from.hash, row, undefined);
      return true;
    },
  };
  return {
    ...table,
    asOf,
    rows: () => [...rows.values()].map(({ row }) => row),
    hashes: () => writes.keys(),
    writesOf: (hash) => writes.get(hash) ?? [],
    behind: (lagMs) => ({
      ...table,
      get: async (hash, { isLatest = false } = {}) => {
        const row = current(hash);
        return isLatest || row === undefined ? row : (asOf(hash, time() - lagMs()) ?? row);
      },
    }),
  };
}
