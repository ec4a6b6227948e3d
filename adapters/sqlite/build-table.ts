import type { DatabaseSync } from 'node:sqlite';
import { type Build, isReplaceable, isStill, isTransition, markOf } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { BUILD_COLUMNS, bodyOf, buildOf } from './build-row.ts';
import { withStorageFullError } from './storage-full.ts';
import { inTransaction } from './transaction.ts';

/**
 * Returns a table of builds on SQLite, shared by every process that opens the file. Writes that return rows are read to
 * their end (`all`, not `get`): only then has the commit happened, and only then does its failure (a full disk) throw.
 */
export function sqliteBuildTable(db: DatabaseSync): BuildTable {
  const selectBuild = db.prepare(`SELECT ${BUILD_COLUMNS} FROM builds WHERE hash = ?`);
  const selectOrder = db.prepare('SELECT body FROM build_orders WHERE hash = ?');
  const nextTicket = db.prepare('UPDATE tickets SET last = last + 1 RETURNING last');
  const putBuild = db.prepare(
    `INSERT INTO builds (hash, ticket, state, body, client) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET ticket = excluded.ticket, state = excluded.state, body = excluded.body, client = excluded.client`,
  );
  const putOrder = db.prepare('INSERT INTO build_orders (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET body = excluded.body');
  // A build that has ended no longer counts for its client.
  const update = `UPDATE builds SET state = ?1, body = ?2, client = CASE WHEN ?1 IN ('queued', 'building') THEN client END
    WHERE hash = ?3 AND state = ?4 AND marker = ?5`;
  const move = db.prepare(`${update} RETURNING ${BUILD_COLUMNS}`);
  const moveLapsed = db.prepare(`${update} AND lease_ends_at <= ?6 RETURNING ${BUILD_COLUMNS}`);
  const drop = db.prepare(`DELETE FROM builds WHERE hash = ? AND state = 'expiring' AND marker = ?`);

  const find = (hash: RequestHash): Build | undefined => {
    const row = selectBuild.get(hash);
    return row && buildOf(row);
  };

  return {
    async get(hash) {
      return find(hash);
    },

    async order(hash) {
      const row = selectOrder.get(hash);
      return row && (JSON.parse(String(row['body'])) as BuildOrder);
    },

    async claim(build, order, now, { client, over } = {}) {
      const isInTheWay = (row: Build) => over === undefined || !isReplaceable(row, now) || !isStill(over, row);
      // Most claims find a live row, and are answered without the write lock.
      const seen = find(build.hash);
      if (seen && isInTheWay(seen)) return { won: false, current: seen };
      return withStorageFullError(() =>
        inTransaction(db, () => {
          const current = find(build.hash);
          if (current && isInTheWay(current)) return { won: false, current };
          const ticket = Number(nextTicket.get()?.['last']);
          putBuild.run(build.hash, ticket, build.state, bodyOf(build), client ?? null);
          putOrder.run(build.hash, JSON.stringify(order));
          return { won: true, current: { ...build, ticket } };
        }),
      );
    },

    async transition(from, to, { lapsedAt } = {}) {
      if (from.hash !== to.hash || !isTransition(from.state, to.state)) return { moved: false, current: find(from.hash) };
      const write = [to.state, bodyOf(to), from.hash, from.state, markOf(from).value] as const;
      const [row] = withStorageFullError(() =>
        lapsedAt === undefined ? move.all(...write) : moveLapsed.all(...write, lapsedAt.toISOString()),
      );
      return row ? { moved: true, current: buildOf(row) } : { moved: false, current: find(from.hash) };
    },

    async remove(from) {
      return drop.run(from.hash, markOf(from).value).changes === 1;
    },
  };
}
