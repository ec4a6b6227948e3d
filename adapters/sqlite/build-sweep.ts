import type { DatabaseSync } from 'node:sqlite';
import type { Build } from '#core/build.ts';
import type { BuildSweep } from '#core/ports.ts';
import { BUILD_COLUMNS, buildOf } from './build-row.ts';

/** Each list is read off its own partial index, in the index's order. */
export function sqliteBuildSweep(db: DatabaseSync): BuildSweep {
  /** `Found` is what the condition selects: states in which the indexed column exists. */
  const oldestFirst = <Found extends Build>(index: string, column: string, condition: string) => {
    const select = db.prepare(
      `SELECT ${BUILD_COLUMNS} FROM builds INDEXED BY ${index} WHERE ${condition} AND ${column} < ? ORDER BY ${column} LIMIT ?`,
    );
    return async (before: Date, limit: number) => select.all(before.toISOString(), limit).map((row) => buildOf(row) as Found);
  };

  return {
    unsent: oldestFirst('builds_unsent', 'queued_at', `state = 'queued' AND sent_at IS NULL`),
    stale: oldestFirst('builds_sent', 'sent_at', `state = 'queued' AND sent_at IS NOT NULL`),
    lapsed: oldestFirst('builds_leased', 'lease_ends_at', 'lease_ends_at IS NOT NULL'),
    expired: oldestFirst('builds_expiry', 'expires_at', 'expires_at IS NOT NULL'),
  };
}
