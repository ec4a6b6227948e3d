import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { RequestHash } from '#core/request/request-hash.ts';
import {
  type BuildEnd,
  COUNTED_BUILD_DAYS,
  dayOf,
  type Figures,
  hourOf,
  MAX_BUILD_ERRORS,
  RANKED_DAYS,
  subjectCount,
  subjectName,
} from '#core/statistics/counts.ts';
import type { Statistics, StatisticsReport } from '#core/statistics/ports.ts';
import { inTransaction } from './transaction.ts';

const NAMES = ['hits', 'misses', 'joined', 'rejected', 'successes', 'failures', 'cancelled', 'build_ms'] as const;
const OUTCOMES = { success: 'successes', failure: 'failures', cancelled: 'cancelled' } as const;

/** The kinds of counts by day that are deleted after `RANKED_DAYS`. */
const DROPPED = ['package', 'target', 'client', 'request', 'hit', 'failure'];

/**
 * Returns statistics on SQLite, shared by every process that opens the file: writes add to one row per hour, and one
 * per day and name.
 */
export function sqliteStatistics(db: DatabaseSync): Statistics & StatisticsReport {
  const addToHour = db.prepare(
    `INSERT INTO statistics_hours (hour, ${NAMES.join(', ')}) VALUES (?${', ?'.repeat(NAMES.length)})
     ON CONFLICT (hour) DO UPDATE SET ${NAMES.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`,
  );
  const addToDay = db.prepare(
    `INSERT INTO statistics_days (kind, day, branch, name, count) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kind, day, branch, name) DO UPDATE SET count = count + excluded.count`,
  );
  const noteStart = db.prepare('INSERT INTO counted_builds (hash, enqueued_at, is_ended) VALUES (?, ?, 0) ON CONFLICT DO NOTHING');
  const noteEnd = db.prepare('UPDATE counted_builds SET is_ended = 1 WHERE hash = ? AND enqueued_at = ? AND is_ended = 0');
  const addError = db.prepare('INSERT INTO build_errors (at, version, target, profile, message) VALUES (?, ?, ?, ?, ?) RETURNING id');
  const dropErrors = db.prepare('DELETE FROM build_errors WHERE id <= ?');
  const dropCounted = db.prepare('DELETE FROM counted_builds WHERE is_ended = 1 AND enqueued_at < ?');
  const dropDays = db.prepare('DELETE FROM statistics_days WHERE kind = ? AND day < ?');

  const selectUnended = db.prepare(
    `SELECT hash, enqueued_at FROM counted_builds
     WHERE is_ended = 0 AND (enqueued_at < ?1 OR enqueued_at > ?2) ORDER BY enqueued_at < ?1, enqueued_at LIMIT ?3`,
  );
  const sums = NAMES.map((name) => `sum(${name}) AS ${name}`).join(', ');
  const selectFigures = {
    hour: db.prepare(`SELECT hour AS start, ${NAMES.join(', ')} FROM statistics_hours WHERE hour BETWEEN ? AND ? ORDER BY hour`),
    day: db.prepare(
      `SELECT substr(hour, 1, 10) AS start, ${sums} FROM statistics_hours WHERE hour BETWEEN ? AND ? GROUP BY start ORDER BY start`,
    ),
  };
  const selectVersions = db.prepare(`SELECT day, name, count FROM statistics_days WHERE kind = 'version' AND day BETWEEN ? AND ?`);
  const selectTop = db.prepare(
    `SELECT name, sum(count) AS total FROM statistics_days WHERE kind = ?1 AND day BETWEEN ?2 AND ?3 AND (?4 IS NULL OR branch = ?4)
     GROUP BY name ORDER BY total DESC, name LIMIT ?5`,
  );
  const selectSubjects = db.prepare(
    `SELECT name, sum(iif(kind = 'request', count, 0)) AS requests, sum(iif(kind = 'hit', count, 0)) AS hits,
       sum(iif(kind = 'failure', count, 0)) AS failures
     FROM statistics_days WHERE kind IN ('request', 'hit', 'failure') AND day BETWEEN ? AND ?
     GROUP BY name ORDER BY requests DESC, name LIMIT ?`,
  );
  const selectErrors = db.prepare('SELECT at, version, target, profile, message FROM build_errors ORDER BY id DESC LIMIT ?');

  const addFigures = (time: string, figures: Partial<Record<(typeof NAMES)[number], number>>) =>
    addToHour.run(hourOf(time), ...NAMES.map((name) => figures[name] ?? 0));

  /** Counts a build's miss, unless it has been counted. Callers run it in a transaction. */
  const start = (hash: string, enqueuedAt: string) => {
    if (noteStart.run(hash, enqueuedAt).changes === 1) addFigures(enqueuedAt, { misses: 1 });
  };

  const addSubject = ({ endedAt, outcome, subject, packages, error }: BuildEnd) => {
    if (subject === undefined) return;
    const { branch, version, target, profile } = subject;
    if (outcome === 'success') {
      addToDay.run('version', dayOf(endedAt), '', version, 1);
      addToDay.run('target', dayOf(endedAt), '', target, 1);
      for (const name of packages) addToDay.run('package', dayOf(endedAt), branch, name, 1);
    }
    if (outcome === 'failure') addToDay.run('failure', dayOf(endedAt), '', subjectName(subject), 1);
    if (error !== undefined) {
      const [row] = addError.all(endedAt, version, target, profile, error);
      dropErrors.run(Number(row?.['id']) - MAX_BUILD_ERRORS);
    }
  };

  /** Deletes old rows. When there are none, each statement reads only the front of an index. */
  const dropOld = (time: string) => {
    dropCounted.run(daysBefore(time, COUNTED_BUILD_DAYS));
    for (const kind of DROPPED) dropDays.run(kind, dayOf(daysBefore(time, RANKED_DAYS)));
  };

  return {
    async count({ at, hits, joined, rejected, clients, subjects }) {
      inTransaction(db, () => {
        addFigures(at, { hits, joined, rejected });
        for (const [client, count] of Object.entries(clients)) addToDay.run('client', dayOf(at), '', client, count);
        for (const [subject, counted] of Object.entries(subjects)) {
          addToDay.run('request', dayOf(at), '', subject, counted.requests);
          if (counted.hits > 0) addToDay.run('hit', dayOf(at), '', subject, counted.hits);
        }
      });
    },

    async started({ hash, enqueuedAt }) {
      inTransaction(db, () => start(hash, enqueuedAt));
    },

    async ended(end) {
      return inTransaction(db, () => {
        start(end.hash, end.enqueuedAt);
        if (noteEnd.run(end.hash, end.enqueuedAt).changes === 0) return false;
        addFigures(end.endedAt, { [OUTCOMES[end.outcome]]: 1, build_ms: Math.round(end.milliseconds) });
        addSubject(end);
        dropOld(end.endedAt);
        return true;
      });
    },

    async unended(before, limit, ahead) {
      return selectUnended
        .all(before.toISOString(), ahead?.toISOString() ?? null, limit)
        .map((row) => ({ hash: String(row['hash']) as RequestHash, enqueuedAt: String(row['enqueued_at']) }));
    },

    async figures(by, from, until) {
      const first = by === 'hour' ? hourOf(from.toISOString()) : dayOf(from.toISOString());
      const last = by === 'hour' ? hourOf(until.toISOString()) : `${dayOf(until.toISOString())}T23`;
      return selectFigures[by].all(first, last).map((row) => ({ start: String(row['start']), ...figuresOf(row) }));
    },

    async versions(from, until) {
      return selectVersions
        .all(dayOf(from.toISOString()), dayOf(until.toISOString()))
        .map((row) => ({ day: String(row['day']), version: String(row['name']), count: Number(row['count']) }));
    },

    async top(kind, from, until, { limit, branch }) {
      return selectTop
        .all(kind, dayOf(from.toISOString()), dayOf(until.toISOString()), branch ?? null, limit)
        .map((row) => ({ name: String(row['name']), count: Number(row['total']) }));
    },

    async subjects(from, until, limit) {
      return selectSubjects
        .all(dayOf(from.toISOString()), dayOf(until.toISOString()), limit)
        .map(({ name, requests, hits, failures }) =>
          subjectCount(String(name), { requests: Number(requests), hits: Number(hits), failures: Number(failures) }),
        );
    },

    async errors(limit) {
      return selectErrors.all(limit).map((row) => ({
        at: String(row['at']),
        version: String(row['version']),
        target: String(row['target']),
        profile: String(row['profile']),
        message: String(row['message']),
      }));
    },
  };
}

const figuresOf = (row: Record<string, SQLOutputValue>): Figures => ({
  hits: Number(row['hits']),
  misses: Number(row['misses']),
  joined: Number(row['joined']),
  rejected: Number(row['rejected']),
  successes: Number(row['successes']),
  failures: Number(row['failures']),
  cancelled: Number(row['cancelled']),
  buildMilliseconds: Number(row['build_ms']),
});

const daysBefore = (time: string, days: number) => new Date(Date.parse(time) - days * 86_400_000).toISOString();
