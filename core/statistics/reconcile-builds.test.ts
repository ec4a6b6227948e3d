import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import type { Build } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { claimed, expiringRow, rowIn, started } from '#test/contracts/drive-build.ts';
import { at, done, failed, sampleOrder } from '#test/contracts/sample-builds.ts';
import { sumOf } from './counts.ts';
import type { Statistics, StatisticsReport } from './ports.ts';
import { reconcileBuilds } from './reconcile-builds.ts';

let builds: BuildTable;
let statistics: Statistics & StatisticsReport;
beforeEach(() => {
  const db = openSqlite(':memory:');
  builds = sqliteBuildTable(db);
  statistics = sqliteStatistics(db);
});

const settle = (minutes: number) => reconcileBuilds({ statistics, builds, branches: () => DEFAULT_BRANCHES, now: () => at(minutes) });
const total = async () => sumOf(await statistics.figures('day', at(-10_000), at(10_000)));
const accept = (...all: Build[]) => Promise.all(all.map((build) => statistics.started(build)));

describe('reconcileBuilds', () => {
  it('counts ends that no process reported, once', async () => {
    await accept(await rowIn(builds, 'done'), await rowIn(builds, 'failed'), await rowIn(builds, 'cancelled'));
    expect(await settle(10)).toBe(3);
    expect(await total()).toMatchObject({ misses: 3, successes: 1, failures: 1, cancelled: 1 });
    expect(await settle(10)).toBe(0);
    expect(await statistics.versions(at(0), at(9))).toEqual([{ day: '2026-11-01', version: '24.10.2', count: 1 }]);
    expect(await statistics.errors(9)).toMatchObject([{ message: 'Error: no space' }]);
  });

  it('does not count builds in progress or builds that have just ended', async () => {
    await accept(await rowIn(builds, 'queued'), await rowIn(builds, 'building'), await rowIn(builds, 'done'));
    expect(await settle(5.5)).toBe(0);
    expect(await settle(6.5)).toBe(1);
    expect(await statistics.unended(at(100), 9)).toHaveLength(2);
  });

  it('counts ends that lie in the future because the clock was set back', async () => {
    await accept(await rowIn(builds, 'done'), await rowIn(builds, 'queued'));
    expect(await settle(-60)).toBe(1);
    expect(await total()).toMatchObject({ misses: 2, successes: 1 });
  });

  it('counts builds as failures that are gone, expiring, or replaced by another claim', async () => {
    const gone = await expiringRow(builds, 'sweep');
    const leaving = await expiringRow(builds, 'sweep');
    await builds.remove(gone);
    const attempt = await started(builds, 'a');
    await accept(gone, leaving, attempt);
    const { current: over } = await builds.transition(attempt, failed(attempt, false));
    const again = { ...(await claimed(builds)), hash: attempt.hash, enqueuedAt: at(7).toISOString() };
    const { won } = await builds.claim({ ...again, queuedAt: again.enqueuedAt }, sampleOrder(attempt.hash), at(7), { over });
    expect(won).toBe(true);
    expect(await settle(20)).toBe(3);
    expect(await total()).toMatchObject({ misses: 3, failures: 3 });
  });

  it('does not count an end that a process has reported', async () => {
    const attempt = await started(builds, 'a');
    await accept(attempt);
    const { current } = await builds.transition(attempt, done(attempt));
    const end = { hash: attempt.hash, enqueuedAt: attempt.enqueuedAt, endedAt: at(5).toISOString() };
    await statistics.ended({ ...end, outcome: 'success', milliseconds: 1, packages: [] });
    expect(current?.state).toBe('done');
    expect(await settle(60)).toBe(0);
  });
});
