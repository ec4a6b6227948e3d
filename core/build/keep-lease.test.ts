import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { freshBinDir, freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { type SimulatedTime, simulatedTime } from '#test/support/simulated-time.ts';
import type { QueuedBuild, RunningBuild } from './build.ts';
import { keepLease } from './keep-lease.ts';
import type { BuildQueue, BuildTable } from './ports.ts';

const LEASE_SECONDS = 450;
const RENEW_AFTER_SECONDS = 300;

const started = new Date('2026-11-20T12:00:00Z');

async function running(
  wrap: (builds: BuildTable, every: SimulatedTime['every']) => BuildTable = (builds) => builds,
  wrapQueue: (queue: BuildQueue) => BuildQueue = (queue) => queue,
) {
  const { now, monotonic, every, pass, step } = simulatedTime(started);
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const queue = sqliteBuildQueue(db);
  const hash = freshHash();
  const time = now().toISOString();
  const facts = { hash, enqueuedAt: time, attempt: 0, isPrivate: false, correlationId: 'test' };
  const { current } = await builds.claim({ ...facts, state: 'queued', queuedAt: time }, sampleOrder(hash), now());
  await queue.send({ hash, correlationId: 'test' });
  const message = await queue.receive({ visibilitySeconds: LEASE_SECONDS, signal: new AbortController().signal });
  if (message === undefined) throw new Error('no message');
  const lease = { owner: randomUUID(), expiresAt: new Date(now().getTime() + LEASE_SECONDS * 1000).toISOString() };
  const taking: RunningBuild = { ...facts, attempt: 1, state: 'building', startedAt: time, step: 'init', lease, binDir: freshBinDir() };
  const taken = (await builds.transition(current as QueuedBuild, taking)).current as RunningBuild;
  let writes = 0;
  const counted: BuildTable = {
    ...builds,
    transition: (...move) => {
      writes += 1;
      return builds.transition(...move);
    },
  };
  const clocks = { now, monotonic, every };
  const deps = {
    builds: wrap(counted, every),
    queue: wrapQueue(queue),
    ...clocks,
    stepsEveryMs: 2_000,
    renewAfterSeconds: RENEW_AFTER_SECONDS,
  };
  const kept = keepLease(deps, taken, message, LEASE_SECONDS);
  const row = async () => (await builds.get(hash)) as RunningBuild;
  return { kept, row, now, pass, step, writes: () => writes };
}

describe('a lease that is renewed late, because the table is billed by the write', () => {
  it('never lapses, and costs a write for every five minutes in which no step was entered', async () => {
    const { kept, row, now, pass, writes } = await running();
    await pass(60);
    kept.progress.enter('building_image');
    await pass(2);
    expect(writes()).toBe(1);
    for (let minute = 0; minute < 10; minute += 1) {
      await pass(60);
      expect(Date.parse((await row()).lease.expiresAt)).toBeGreaterThan(now().getTime());
    }
    expect(writes()).toBe(2);
    await kept.release();
  });

  it('is written again in time when the table could not be written, and so is a step', async () => {
    let isBroken = false;
    const { kept, row, now, pass, writes } = await running((builds) => ({
      ...builds,
      transition: (...move) => (isBroken ? Promise.reject(new Error('throttled')) : builds.transition(...move)),
    }));
    isBroken = true;
    await pass(300);
    kept.progress.enter('building_image');
    await pass(60);
    expect([(await row()).step, writes()]).toEqual(['init', 0]);
    isBroken = false;
    await pass(30);
    expect(await row()).toMatchObject({ step: 'building_image' });
    expect(Date.parse((await row()).lease.expiresAt)).toBeGreaterThan(now().getTime() + 400_000);
    expect(kept.lost.aborted).toBe(false);
    await kept.release();
  });

  it('survives a renewal that is never answered', async () => {
    let hanging = 0;
    const { kept, row, now, pass } = await running((builds) => ({
      ...builds,
      transition: (...move) => (hanging-- > 0 ? new Promise(() => undefined) : builds.transition(...move)),
    }));
    hanging = 2;
    await pass(445);
    expect(Date.parse((await row()).lease.expiresAt)).toBeGreaterThan(now().getTime() + 300_000);
    expect(kept.lost.aborted).toBe(false);
    expect(await kept.release()).toEqual(await row());
  });

  it.each([1, 3])('is kept while every renewal is answered late, after %i times the pause between two, and succeeds', async (times) => {
    const late = (LEASE_SECONDS - RENEW_AFTER_SECONDS) / 5;
    const { kept, pass, row, now } = await running((builds, every) => ({
      ...builds,
      transition: async (...move) => {
        const answer = await builds.transition(...move);
        await new Promise<void>((resolve) => {
          const stop = every(late * times * 1_000, () => {
            stop();
            resolve();
          });
        });
        return answer;
      },
    }));
    for (let minute = 0; minute < 40; minute += 1) {
      await pass(60);
      expect([minute, kept.lost.aborted]).toEqual([minute, false]);
      expect(Date.parse((await row()).lease.expiresAt)).toBeGreaterThan(now().getTime());
    }
    const released = kept.release();
    await pass(late * times);
    expect(await released).toMatchObject({ state: 'building' });
  });

  it('ignores the late answer to a renewal that it no longer waits for', async () => {
    const answers: (() => void)[] = [];
    const { kept, row, pass } = await running((builds) => ({
      ...builds,
      transition: (...move) =>
        answers.length === 0
          ? new Promise((resolve) => answers.push(() => resolve({ moved: false, current: undefined })))
          : builds.transition(...move),
    }));
    await pass(390);
    const written = await row();
    for (const answer of answers) answer();
    await pass(1);
    expect(kept.lost.aborted).toBe(false);
    expect(await kept.release()).toEqual(written);
  });

  it.each([
    ['answers nothing', () => new Promise<never>(() => undefined)],
    ['fails', () => Promise.reject(new Error('throttled'))],
  ])('is lost when it lapses while the table %s, and not before', async (_, transition) => {
    const { kept, pass } = await running((builds) => ({ ...builds, transition }));
    await pass(LEASE_SECONDS - 1);
    expect(kept.lost.aborted).toBe(false);
    await pass(1);
    expect(kept.lost.aborted).toBe(true);
  });

  it.each([
    ['forward', 3_600],
    ['back', -3_600],
  ])('is kept while the clock is set an hour %s: each renewal is later than the one before', async (_, seconds) => {
    const { kept, row, pass, step } = await running();
    await pass(60);
    step(seconds);
    const ends: string[] = [];
    for (let minute = 0; minute < 20; minute += 1) {
      await pass(60);
      ends.push((await row()).lease.expiresAt);
    }
    expect(kept.lost.aborted).toBe(false);
    expect(new Set(ends).size).toBe(5);
    expect(ends).toEqual(ends.toSorted());
    await kept.release();
  });

  it.each([
    ['forward', 3_600],
    ['back', -3_600],
  ])('is lost in its own time while the table fails, also when the clock is set an hour %s', async (_, seconds) => {
    const { kept, pass, step } = await running((builds) => ({ ...builds, transition: () => Promise.reject(new Error('throttled')) }));
    await pass(310);
    step(seconds);
    await pass(LEASE_SECONDS - 311);
    expect(kept.lost.aborted).toBe(false);
    await pass(1);
    expect(kept.lost.aborted).toBe(true);
  });
});

/** The first renewal fails at once and arrives so many seconds later, as a request does that a network holds up. */
const arrivesLate = (seconds: number) => {
  let isFirst = true;
  return (builds: BuildTable, every: SimulatedTime['every']): BuildTable => ({
    ...builds,
    transition: async (...move) => {
      if (!isFirst) return builds.transition(...move);
      isFirst = false;
      const stop = every(seconds * 1000, () => {
        stop();
        void builds.transition(...move);
      });
      throw new Error('no answer');
    },
  });
};

describe('a write that arrives after a later one of the same runner', () => {
  it('takes neither the renewal nor the step back', async () => {
    const { kept, row, pass } = await running(arrivesLate(100));
    kept.progress.enter('download_imagebuilder');
    await pass(2);
    kept.progress.enter('building_image');
    await pass(90);
    const written = await row();
    expect(written.step).toBe('building_image');
    await pass(100);
    expect(await row()).toEqual(written);
    expect(kept.lost.aborted).toBe(false);
    await kept.release();
  });

  it('has another end of the lease than a write of the same moment: a sweeper that has seen that one counts from the beginning', async () => {
    const ends: string[] = [];
    const { kept, pass } = await running((builds) => ({
      ...builds,
      transition: (...move) => {
        ends.push((move[1] as RunningBuild).lease.expiresAt);
        return Promise.reject(new Error('no answer'));
      },
    }));
    kept.progress.enter('download_imagebuilder');
    await pass(29);
    // After 30 seconds the failed renewal is tried again, and the step is written.
    kept.progress.enter('building_image');
    await pass(1);
    expect(ends.length).toBe(3);
    expect(new Set(ends).size).toBe(3);
    await kept.release();
  });
});

describe('the end of a lease', () => {
  it('does not wait forever for a write that is not answered', async () => {
    const { kept, row, pass } = await running((builds) => ({ ...builds, transition: () => new Promise(() => undefined) }));
    await pass(310);
    const released = kept.release();
    await pass(10);
    expect(await released).toEqual(await row());
  });

  it('comes after an extension in progress, so that the extension does not hide the message again', async () => {
    const told: string[] = [];
    const extending = Promise.withResolvers<void>();
    const { kept, pass } = await running(undefined, (queue) => ({
      ...queue,
      extend: async () => {
        await extending.promise;
        told.push('extended');
      },
    }));
    await pass(310);
    const released = kept.release().then(() => told.push('released'));
    await pass(1);
    extending.resolve();
    await released;
    expect(told).toEqual(['extended', 'released']);
  });

  it('does not wait forever for an extension either', async () => {
    const { kept, pass } = await running(undefined, (queue) => ({ ...queue, extend: () => new Promise(() => undefined) }));
    await pass(310);
    const released = kept.release();
    await pass(10);
    expect(await released).toMatchObject({ state: 'building' });
  });
});
