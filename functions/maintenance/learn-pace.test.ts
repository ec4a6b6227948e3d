import { describe, expect, it } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { type BuildPace, buildPace } from '#core/build/build-pace.ts';
import { RequestHash } from '#core/request/request-hash.ts';
import { learnPace } from './learn-pace.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const now = () => NOW;

function parts() {
  const db = openSqlite(':memory:');
  const statistics = sqliteStatistics(db);
  const pace = buildPace(sqliteRecordStore(db), () => now().getTime());
  let builds = 0;
  const took = (seconds: number, at = NOW) =>
    statistics.ended({
      hash: RequestHash.parse((builds++).toString(16).padStart(64, '0')),
      enqueuedAt: at.toISOString(),
      endedAt: at.toISOString(),
      outcome: 'success',
      milliseconds: seconds * 1000,
      packages: [],
    });
  return { deps: { report: statistics, pace, now }, pace, took };
}

const learnt = async (deps: { report: Parameters<typeof learnPace>[0]['report']; pace: BuildPace; now: () => Date }) => {
  for (let run = 0; run < 60; run++) await learnPace(deps);
  return deps.pace.secondsPerBuild();
};

describe('learnPace', () => {
  it('follows the duration of builds, run by run, and then writes no more', async () => {
    const { deps, took } = parts();
    await took(100);
    await took(200);
    expect(await learnt(deps)).toBeCloseTo(150, -1);
    expect(await learnPace(deps)).toBe(false);
  });

  it('keeps its guess while there were no builds or only old ones', async () => {
    const { deps, pace, took } = parts();
    const guess = pace.secondsPerBuild();
    await took(500, new Date('2026-11-01T12:00:00Z'));
    expect(await learnt(deps)).toBe(guess);
  });
});
