import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Build, CancelledBuild, DoneBuild, ExpiringBuild, FailedBuild, RunningBuild } from '#core/build/build.ts';
import type { BuildSweep } from '#core/build/ports.ts';
import { sightings } from '#core/build/sightings.ts';
import { latestPlausible } from '#core/clock-skew.ts';
import type { Monotonic } from '#core/stores.ts';
import { BUILD_COLUMNS, buildOf } from './build-row.ts';

type EndedBuild = DoneBuild | FailedBuild | CancelledBuild;

/** The most builds with an end in the future that one call reads; `sightings.ts` remembers more than that. */
const MAX_AHEAD = 10_000;

/**
 * Returns the sweep's lists on SQLite, each read from a partial index of its own and in its order. A build whose end
 * lies in the future was dated by a clock that has been set back since. It has expired when this process has seen it
 * for as long as it was to be kept.
 */
export function sqliteBuildSweep(db: DatabaseSync, monotonic: Monotonic = () => performance.now()): BuildSweep {
  const seen = sightings(monotonic);
  /** Returns a query that lists builds by a column, oldest first. `Found` has the states that the condition selects. */
  const oldestFirst = <Found extends Build>(index: string, column: string, condition: string) => {
    const from = `SELECT ${BUILD_COLUMNS} FROM builds INDEXED BY ${index} WHERE ${condition}`;
    const select = db.prepare(`${from} AND ${column} < ? ORDER BY ${column} LIMIT ?`);
    const selectAhead = db.prepare(`${from} AND ${column} > ? ORDER BY ${column} LIMIT ?`);
    const found = (rows: Record<string, SQLOutputValue>[]) => rows.map((row) => buildOf(row) as Found);
    return async (before: Date, limit: number, ahead?: Date) => {
      const old = found(select.all(before.toISOString(), limit));
      return ahead === undefined ? old : [...found(selectAhead.all(ahead.toISOString(), limit)), ...old].slice(0, limit);
    };
  };
  const selectLeased = db.prepare(
    `SELECT ${BUILD_COLUMNS} FROM builds INDEXED BY builds_leased WHERE lease_ends_at IS NOT NULL ORDER BY lease_ends_at LIMIT ?`,
  );
  const pastTheirTime = oldestFirst<EndedBuild>('builds_expiry', 'expires_at', 'expires_at IS NOT NULL');
  const selectEndedAfter = db.prepare(
    `SELECT ${BUILD_COLUMNS} FROM builds INDEXED BY builds_ended WHERE expires_at IS NOT NULL AND body ->> '$.finishedAt' > ? LIMIT ${MAX_AHEAD}`,
  );
  const isOver = ({ hash, finishedAt, expiresAt }: EndedBuild) =>
    seen.secondsOf(hash, finishedAt) * 1000 >= Date.parse(expiresAt) - Date.parse(finishedAt);

  return {
    unsent: oldestFirst('builds_unsent', 'queued_at', `state = 'queued' AND sent_at IS NULL`),
    stale: oldestFirst('builds_sent', 'sent_at', `state = 'queued' AND sent_at IS NOT NULL`),
    leased: async (limit) => selectLeased.all(limit).map((row) => buildOf(row) as RunningBuild | ExpiringBuild),
    expired: async (now, limit) => {
      const early = selectEndedAfter.all(latestPlausible(now).toISOString()).map((row) => buildOf(row) as EndedBuild);
      return [...early.filter(isOver), ...(await pastTheirTime(now, limit))].slice(0, limit);
    },
  };
}
