import type { DatabaseSync } from 'node:sqlite';
import type { ClientBuilds } from '#core/build/ports.ts';

/** The condition of the index. SQLite uses a partial index only in a query that repeats its condition. */
const PENDING = `builds INDEXED BY builds_of_clients WHERE state IN ('queued', 'building')`;

export const COUNT_OWN = `SELECT count(*) AS n FROM ${PENDING} AND client = ?`;
export const COUNT_OTHERS = `SELECT count(*) AS n FROM ${PENDING} AND state = 'queued' AND client IS NOT ?`;
export const COUNT_WITHIN = `
  SELECT coalesce(sum(iif(client IS NULL, n, min(n, ?))), 0) AS n
  FROM (SELECT client, count(*) AS n FROM ${PENDING} AND state = 'queued' GROUP BY client)`;

/** Returns counts of clients' builds, read from one index that has only pending builds, sorted by client. */
export function sqliteClientBuilds(db: DatabaseSync): ClientBuilds {
  const countOwn = db.prepare(COUNT_OWN);
  const countOthers = db.prepare(COUNT_OTHERS);
  const countWithin = db.prepare(COUNT_WITHIN);

  return {
    async pending(client) {
      return Number(countOwn.get(client)?.['n']);
    },
    async othersWaiting(client) {
      return Number(countOthers.get(client)?.['n']);
    },
    async waitingWithin(share) {
      return Number(countWithin.get(share)?.['n']);
    },
  };
}
