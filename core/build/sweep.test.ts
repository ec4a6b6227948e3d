import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { logMaintenance } from '#functions/maintenance/log-maintenance.ts';
import { jsonLog } from '#observe/log.ts';
import { at, done, freshHash, iso, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import type { QueuedBuild } from './build.ts';
import { leaseFor } from './lease.ts';
import { sightings } from './sightings.ts';
import { type SweepDeps, sweepBuilds } from './sweep.ts';

/** Returns how many messages a sweep at minute 0 sends for a build whose next attempt is due after `pauseMinutes`. */
async function sentDuringPause(pauseMinutes: number, longestPauseSeconds?: number): Promise<number> {
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const hash = freshHash();
  await builds.claim(queued(hash, pauseMinutes), sampleOrder(hash), at(0));
  const monotonic = () => 0;
  const { sent } = await sweepBuilds({
    builds,
    sweep: sqliteBuildSweep(db, monotonic),
    queue: sqliteBuildQueue(db),
    artifacts: memoryArtifactStore(),
    now: () => at(0),
    sightings: sightings(monotonic),
    newSweepId: randomUUID,
    timesToLive: { buildSeconds: 600, unversionedSeconds: 600, defaultsSeconds: 600, failureSeconds: 600 },
    ...(longestPauseSeconds !== undefined && { longestPauseSeconds }),
  });
  db.close();
  return sent;
}

it('sends no message for a build that pauses before its next attempt, however long the operator sets the pause', async () => {
  expect(await sentDuringPause(10, 600)).toBe(0);
});

it('sends a message for a build that was queued later than any pause allows, because a clock has been set back', async () => {
  expect(await sentDuringPause(60)).toBe(1);
  expect(await sentDuringPause(60, 600)).toBe(1);
});

describe('a sweep in which one part fails', () => {
  const HASHES = { lapsed: freshHash(), ended: freshHash(), unsent: freshHash(), stale: freshHash() };

  /** Sweeps twice, an hour apart, in a world whose four lists have one build each; `wrap` breaks a part. */
  async function swept(isPrivate: boolean, wrap: (deps: SweepDeps) => SweepDeps) {
    const db = openSqlite(':memory:');
    const builds = sqliteBuildTable(db);
    const accept = async (hash: RequestHash) =>
      (await builds.claim({ ...queued(hash), isPrivate }, sampleOrder(hash), at(0))).current as QueuedBuild;
    const lapsed = await accept(HASHES.lapsed);
    await builds.transition(lapsed, { ...running(lapsed, 'runner'), lease: leaseFor('runner', at(0), 60) });
    const ended = await accept(HASHES.ended);
    const ending = running(ended, 'runner');
    await builds.transition(ended, ending);
    await builds.transition(ending, done(ending, 10));
    await accept(HASHES.unsent);
    const stale = await accept(HASHES.stale);
    await builds.transition(stale, { ...stale, sentAt: iso(0) });
    let minute = 60;
    const monotonic = () => minute * 60_000;
    const deps = wrap({
      builds,
      sweep: sqliteBuildSweep(db, monotonic),
      queue: sqliteBuildQueue(db),
      artifacts: memoryArtifactStore(),
      now: () => at(minute),
      sightings: sightings(monotonic),
      newSweepId: randomUUID,
      timesToLive: { buildSeconds: 600, unversionedSeconds: 600, defaultsSeconds: 600, failureSeconds: 600 },
    });
    const sweeps = [await sweepBuilds(deps)];
    minute += 60;
    sweeps.push(await sweepBuilds(deps));
    const states = Object.fromEntries(
      await Promise.all(Object.entries(HASHES).map(async ([name, hash]) => [name, await builds.get(hash)] as const)),
    );
    db.close();
    return { sweeps, states };
  }

  const throttled = () => Promise.reject(new Error('throttled'));
  it.each(['leased', 'expired', 'unsent', 'stale'] as const)('still does the other parts when the list %s cannot be read', async (list) => {
    const { sweeps, states } = await swept(false, (deps) => ({ ...deps, sweep: { ...deps.sweep, [list]: throttled } }));
    expect(sweeps.map(({ unread }) => unread)).toEqual([[new Error('throttled')], [new Error('throttled')]]);
    expect(states).toMatchObject({
      lapsed: { state: list === 'leased' ? 'building' : 'queued' },
      ended: list === 'expired' ? { state: 'done' } : list === 'leased' ? { state: 'expiring' } : undefined,
      unsent: list === 'unsent' ? { state: 'queued' } : { sentAt: expect.any(String) },
      stale: { sentAt: list === 'stale' ? iso(0) : expect.not.stringContaining(iso(0)) },
    });
    if (list === 'unsent') expect(states['unsent']).not.toHaveProperty('sentAt');
  });

  const telling = (deps: SweepDeps): SweepDeps => ({
    ...deps,
    artifacts: { ...deps.artifacts, remove: (key) => Promise.reject(new Error(`not allowed: ${key} of secret-package`)) },
  });
  it.each([
    [true, 'nothing that its request or its files say'],
    [false, 'why'],
  ])('says of a build that cannot be swept (private: %s) %s', async (isPrivate) => {
    const { sweeps } = await swept(isPrivate, telling);
    const lines: string[] = [];
    const { onSwept } = logMaintenance({ log: jsonLog('debug', (line) => lines.push(line)), metrics: { onSwept: () => undefined } });
    for (const one of sweeps) onSwept(one);
    const failed = lines.filter((line) => line.includes('build could not be swept'));
    expect(failed.length).toBeGreaterThan(1);
    for (const line of failed) {
      expect(line).toContain('"correlation_id":"contract"');
      expect(line.includes('secret-package')).toBe(!isPrivate);
      if (isPrivate) for (const hash of Object.values(HASHES)) expect(line).not.toContain(hash.slice(0, 8));
      if (isPrivate) expect(line).not.toMatch(/(store|logs)\//);
    }
  });
});
