import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import type { QueuedBuild, RunningBuild } from './build.ts';
import { leaseFor, renewed } from './lease.ts';
import { leaseNotes } from './lease-notes.ts';
import { sightings } from './sightings.ts';
import { sweepBuilds } from './sweep.ts';

const LEASE_SECONDS = 450;
const START = Date.parse('2026-11-20T12:00:00Z');

/**
 * Returns a build in progress, and sweepers that each end after one sweep, so that no process sees the lease for longer
 * than a moment. The time that passes is the true time; the clock of each process is some seconds off.
 */
async function machines() {
  let passed = 0;
  const clock = (offSeconds: number) => () => new Date(START + (passed + offSeconds) * 1000);
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const records = sqliteRecordStore(db);
  const hash = freshHash();
  const accepted = (await builds.claim(queued(hash), sampleOrder(hash), clock(0)())).current as QueuedBuild;
  let row: RunningBuild = { ...running(accepted, 'runner'), lease: leaseFor('runner', clock(0)(), LEASE_SECONDS) };
  await builds.transition(accepted, row);
  return {
    pass: (seconds: number) => {
      passed += seconds;
    },
    renew: async (offSeconds = 0) => {
      const next = { ...row, lease: renewed(row.lease, clock(offSeconds)(), LEASE_SECONDS) };
      const { moved } = await builds.transition(row, next);
      if (moved) row = next;
      return moved;
    },
    state: async () => (await builds.get(hash))?.state,
    /** Runs one sweep in a process of its own, which ends after it. */
    sweep: async (offSeconds = 0, readRecord = records.get) => {
      const now = clock(offSeconds);
      const monotonic = () => passed * 1000;
      return sweepBuilds({
        builds,
        sweep: sqliteBuildSweep(db, monotonic),
        queue: sqliteBuildQueue(db),
        artifacts: memoryArtifactStore(),
        now,
        sightings: sightings(monotonic),
        leaseNotes: leaseNotes({ records: { ...records, get: readRecord }, now }),
        newSweepId: randomUUID,
        timesToLive: { buildSeconds: 600, unversionedSeconds: 600, defaultsSeconds: 600, failureSeconds: 600 },
      });
    },
  };
}

describe('sweepers that end before the lease does', () => {
  it.each([30, 60])(
    'return the build of a runner that is gone, with a sweep every %i s, and not before its lease is over',
    async (every) => {
      const { pass, sweep, state } = await machines();
      let seconds = 0;
      for (; (await state()) === 'building' && seconds < 3_600; seconds += every) {
        await sweep();
        pass(every);
      }
      expect(await state()).toBe('queued');
      expect(seconds).toBeGreaterThan(LEASE_SECONDS);
      expect(seconds).toBeLessThan(2 * LEASE_SECONDS);
    },
  );

  it.each([
    ['a minute apart', [-30, 30]],
    ['a minute apart, several of each', [-30, -30, 30, 30, 30]],
  ])('leave a build to its runner while their clocks are %s, however often they sweep', async (_, offs) => {
    const { pass, sweep, state, renew } = await machines();
    for (let seconds = 0; seconds < 4 * LEASE_SECONDS; seconds += 3) {
      await sweep(offs[(seconds / 3) % offs.length]);
      // This is the latest moment at which a runner renews.
      if (seconds % (LEASE_SECONDS - 3) === 0) expect(await renew(30)).toBe(true);
      pass(3);
    }
    expect(await state()).toBe('building');
  });

  it.each([3_600, -3_600, 30 * 86_400])('leave a build to its runner when their clock is set by %i s meanwhile', async (step) => {
    const { pass, sweep, state, renew } = await machines();
    for (let seconds = 0; seconds < 4 * LEASE_SECONDS; seconds += 30) {
      await sweep(seconds >= 300 ? step : 0);
      if (seconds % 420 === 0) expect(await renew()).toBe(true);
      pass(30);
    }
    expect(await state()).toBe('building');
  });

  it.each([3_600, -3_600])('also return the build of a runner that is gone when their clock is set by %i s meanwhile', async (step) => {
    const { pass, sweep, state } = await machines();
    for (let seconds = 0; seconds < 3 * LEASE_SECONDS; seconds += 30) {
      await sweep(seconds >= 300 ? step : 0);
      pass(30);
    }
    expect(await state()).toBe('queued');
  });

  it('leave a build to its runner whose own clock is an hour off', async () => {
    const { pass, sweep, state, renew } = await machines();
    for (let seconds = 0; seconds < 4 * LEASE_SECONDS; seconds += 30) {
      await sweep();
      if (seconds % 420 === 0) expect(await renew(-3_600)).toBe(true);
      pass(30);
    }
    expect(await state()).toBe('building');
  });

  it('sweep even when the notes cannot be read, and report that', async () => {
    const { sweep } = await machines();
    const failure = new Error('no such bucket');
    expect(await sweep(0, () => Promise.reject(failure))).toMatchObject({ unread: [failure] });
  });
});
