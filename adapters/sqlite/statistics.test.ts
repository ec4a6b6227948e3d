import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BuildEnd, COUNTED_BUILD_DAYS, MAX_BUILD_ERRORS, RANKED_DAYS } from '#core/statistics/counts.ts';
import { at, freshHash, iso } from '#test/contracts/sample-builds.ts';
import { statisticsContract } from '#test/contracts/statistics.ts';
import { openSqlite } from './open-sqlite.ts';
import { sqliteStatistics } from './statistics.ts';
import { freshFile } from './testing/processes.ts';
import type { StatisticsWork } from './testing/statistics-worker.ts';

statisticsContract('sqlite', () => sqliteStatistics(openSqlite(':memory:')));

const DAY = 24 * 60;
const end = (minutes: number, outcome: BuildEnd['outcome'] = 'success'): BuildEnd => ({
  hash: freshHash(),
  enqueuedAt: iso(minutes),
  endedAt: iso(minutes + 1),
  outcome,
  milliseconds: 1,
  subject: { branch: '24.10', version: '24.10.2', target: 'x86/64', profile: 'generic' },
  packages: ['vim'],
  ...(outcome === 'failure' && { error: `at ${minutes}` }),
});

describe('statistics in a file', () => {
  it('add up over two processes, and count a build once that both report', async () => {
    const file = await freshFile();
    const work: StatisticsWork = { hits: 200, at: iso(0), ends: Array.from({ length: 40 }, (_, i) => end(i)) };
    const workers = await Promise.all(
      [1, 2].map(async () => {
        const child = fork(new URL('./testing/statistics-worker.ts', import.meta.url), [file], { execArgv: [] });
        onTestFinished(() => {
          child.kill('SIGKILL');
        });
        await once(child, 'message');
        return child;
      }),
    );
    const answers = await Promise.all(
      workers.map((child) => {
        const answer = once(child, 'message');
        child.send(work);
        return answer;
      }),
    );
    expect(answers.reduce((sum, [isNew]) => sum + Number(isNew), 0)).toBe(40);
    const db = openSqlite(file);
    const statistics = sqliteStatistics(db);
    expect(await statistics.figures('day', at(0), at(0))).toMatchObject([{ hits: 400, misses: 40, successes: 40 }]);
    expect(await statistics.top('client', at(0), at(0), { limit: 9 })).toEqual([{ name: 'owut/1', count: 400 }]);
    expect(await statistics.top('package', at(0), at(0), { limit: 9 })).toEqual([{ name: 'vim', count: 40 }]);
    db.close();
  });

  it('are complete after a restart, and do not count an end again that was reported before it', async () => {
    const file = await freshFile();
    const [reported, open] = [end(0), end(5)];
    const before = openSqlite(file);
    const first = sqliteStatistics(before);
    await first.count({ at: iso(0), hits: 1, joined: 2, rejected: 3, clients: { 'auc/0.3.2': 6 }, subjects: {} });
    await first.ended(reported);
    await first.started(open);
    before.close();

    const after = openSqlite(file);
    const again = sqliteStatistics(after);
    expect(await again.ended(reported)).toBe(false);
    expect(await again.unended(at(DAY), 9)).toEqual([{ hash: open.hash, enqueuedAt: open.enqueuedAt }]);
    expect(await again.figures('day', at(0), at(0))).toMatchObject([{ hits: 1, joined: 2, rejected: 3, misses: 2, successes: 1 }]);
    after.close();
  });

  it('forget figures that are older than any report reads', async () => {
    const db = openSqlite(':memory:');
    const statistics = sqliteStatistics(db);
    const rows = (from: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${from}`).get()?.['n']);
    await statistics.ended(end(0));
    await statistics.ended(end((RANKED_DAYS + 1) * DAY));
    expect(rows(`statistics_days WHERE kind = 'package'`)).toBe(1);
    expect(rows(`statistics_days WHERE kind = 'version'`)).toBe(2);
    expect(rows('counted_builds')).toBe(2);
    await statistics.ended(end((COUNTED_BUILD_DAYS + 1) * DAY));
    expect(rows('counted_builds')).toBe(2);

    db.exec('BEGIN');
    const insert = db.prepare(`INSERT INTO build_errors (at, version, target, profile, message) VALUES ('', '', '', '', ?)`);
    for (let i = 0; i < MAX_BUILD_ERRORS; i++) insert.run(`old ${i}`);
    db.exec('COMMIT');
    await statistics.ended(end(0, 'failure'));
    expect(rows('build_errors')).toBe(MAX_BUILD_ERRORS);
    expect((await statistics.errors(1))[0]?.message).toBe('at 0');
  });

  it('are read from indexes', () => {
    const db = openSqlite(':memory:');
    const plan = (sql: string) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row['detail']))
        .join('; ');
    const queries = [
      `SELECT hash FROM counted_builds WHERE is_ended = 0 AND enqueued_at < 'x' ORDER BY enqueued_at LIMIT 1`,
      `DELETE FROM counted_builds WHERE is_ended = 1 AND enqueued_at < 'x'`,
      `DELETE FROM statistics_days WHERE kind = 'package' AND day < 'x'`,
      `SELECT day, name, count FROM statistics_days WHERE kind = 'version' AND day BETWEEN 'a' AND 'b'`,
      `SELECT hits FROM statistics_hours WHERE hour BETWEEN 'a' AND 'b' ORDER BY hour`,
      `DELETE FROM build_errors WHERE id <= 1`,
    ];
    for (const query of queries) expect(plan(query)).toMatch(/^SEARCH/);
  });
});
