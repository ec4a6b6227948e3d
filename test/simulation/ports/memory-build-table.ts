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
  /**
   * The same table for readers whose reads may be behind (`BuildTable.get`): they see what a row was, also one that is
   * gone. What seems absent is read again.
   */
  behind(lagMs: () => number): BuildTable;
}

/** A build table in memory that remembers every version of each row. `onWrite` may throw when a write breaks a promise. */
export function memoryBuildTable(time: () => number, onWrite: (write: RowWrite) => void): MemoryBuildTable {
  const rows = new Map<RequestHash, Build>();
  /** The order of each claim, by hash and ticket. */
  const orders = new Map<string, BuildOrder>();
  const writes = new Map<RequestHash, RowWrite[]>();
  let tickets = 0;

  const noted = (hash: RequestHash, before: Build | undefined, after: Build | undefined, isClaim = false) => {
    const write = { hash, before, after, isClaim, timeMs: time() };
    const known = writes.get(hash);
    if (known === undefined) writes.set(hash, [write]);
    else known.push(write);
    onWrite(write);
  };
  const current = (hash: RequestHash) => rows.get(hash);
  const asOf = (hash: RequestHash, timeMs: number) => writes.get(hash)?.findLast((write) => write.timeMs <= timeMs)?.after;

  const table: BuildTable = {
    get: async (hash) => current(hash),
    order: async (hash) => orders.get(`${hash} ${current(hash)?.ticket}`),
    claim: async (build, order, now, { over } = {}) => {
      const before = current(build.hash);
      if (before !== undefined && (over === undefined || !isReplaceable(before, now) || !isStill(over, before)))
        return { won: false, current: before };
      tickets += 1;
      const row = { ...build, ticket: tickets };
      rows.set(build.hash, row);
      orders.set(`${build.hash} ${tickets}`, order);
      noted(build.hash, before, row, true);
      return { won: true, current: row };
    },
    transition: async (from, to, { lapsedAt } = {}) => {
      const known = rows.get(from.hash);
      const isMovable =
        known !== undefined &&
        from.hash === to.hash &&
        isTransition(from.state, to.state) &&
        isStill(from, known) &&
        (lapsedAt === undefined || ('lease' in known && known.lease.expiresAt <= lapsedAt.toISOString()));
      if (!isMovable) return { moved: false, current: known };
      const { ticket } = known;
      const row = { ...to, ...(ticket !== undefined && { ticket }) };
      rows.set(from.hash, row);
      noted(from.hash, known, row);
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
    rows: () => [...rows.values()],
    hashes: () => writes.keys(),
    writesOf: (hash) => writes.get(hash) ?? [],
    behind: (lagMs) => {
      /** How much behind the last read of a row was: the order is read right after it, from the same replica. */
      let behindMs = 0;
      return {
        ...table,
        get: async (hash, { isLatest = false } = {}) => {
          const row = current(hash);
          if (isLatest) return row;
          behindMs = lagMs();
          return asOf(hash, time() - behindMs) ?? row;
        },
        order: async (hash) => {
          const ticket = asOf(hash, time() - behindMs)?.ticket ?? current(hash)?.ticket;
          return orders.get(`${hash} ${ticket}`);
        },
      };
    },
  };
}
