import { beforeEach, describe, expect, it } from 'vitest';
import type { Build, QueuedBuild } from '#core/build/build.ts';
import type { BuildSweep, BuildTable } from '#core/build/ports.ts';
import { claimed, expiringRow, moved, rowIn, started } from './drive-build.ts';
import { at, freshHash, iso, requeued, running } from './sample-builds.ts';

export interface SweptTable {
  readonly table: BuildTable;
  readonly sweep: BuildSweep;
}

/** Milliseconds to wait: lists may come from an index that lags behind. */
const SOON = { timeout: 10_000, interval: 50 };
const MANY = 1_000;

/** The contract of every `BuildSweep` (core/build/ports.ts). `make` returns a table that no other test uses. */
export function buildSweepContract(name: string, make: () => SweptTable | Promise<SweptTable>): void {
  describe(`build sweep: ${name}`, () => {
    let table: BuildTable;
    let sweep: BuildSweep;
    beforeEach(async () => {
      ({ table, sweep } = await make());
    });

    const markSent = (build: QueuedBuild, minutes: number) => moved(table, build, { ...build, sentAt: iso(minutes) });

    it('finds queued builds without sentAt, the longest waiting first', async () => {
      const later = await claimed(table, freshHash(), 20);
      const earlier = await claimed(table, freshHash(), 10);
      const tooNew = await claimed(table, freshHash(), 40);
      await markSent(await claimed(table, freshHash(), 5), 6);
      for (const state of ['building', 'done', 'failed', 'cancelled', 'expiring'] as const) await rowIn(table, state);
      await expect.poll(() => sweep.unsent(at(30), MANY), SOON).toEqual([earlier, later]);
      await expect.poll(() => sweep.unsent(at(50), 2), SOON).toEqual([earlier, later]);
      await expect.poll(() => sweep.unsent(at(50), MANY), SOON).toEqual([earlier, later, tooNew]);
    });

    it('counts a return to the queue as a new stay', async () => {
      const build = await markSent(await claimed(table, freshHash(), 0), 1);
      const attempt = await moved(table, build, running(build, 'a'));
      const back = await moved(table, attempt, requeued(attempt, 30));
      await expect.poll(() => sweep.unsent(at(40), MANY), SOON).toEqual([back]);
      await expect.poll(() => sweep.unsent(at(20), MANY), SOON).toEqual([]);
      await expect.poll(() => sweep.stale(at(40), MANY), SOON).toEqual([]);
    });

    it('finds queued builds whose message went out long ago, oldest first', async () => {
      const later = await markSent(await claimed(table, freshHash(), 0), 20);
      const earlier = await markSent(await claimed(table, freshHash(), 5), 10);
      await markSent(await claimed(table, freshHash(), 0), 40);
      await claimed(table, freshHash(), 0);
      const taken = await markSent(await claimed(table, freshHash(), 0), 10);
      await moved(table, taken, running(taken, 'a'));
      await expect.poll(() => sweep.stale(at(30), MANY), SOON).toEqual([earlier, later]);
      await expect.poll(() => sweep.stale(at(30), 1), SOON).toEqual([earlier]);
    });

    it('finds all leases of builds and of expiries, whatever their end, the earliest end first', async () => {
      const second = await started(table, 'a', freshHash(), 20);
      const first = await expiringRow(table, 'b', 10);
      const third = await expiringRow(table, 'd', 1_000_000);
      const renewed = await started(table, 'e', freshHash(), 10);
      const fourth = await moved(table, renewed, { ...renewed, lease: { owner: 'e', expiresAt: iso(1_000_001), seconds: 60 } });
      const returned = await started(table, 'f', freshHash(), 10);
      await moved(table, returned, requeued(returned, 5));
      for (const state of ['queued', 'done', 'failed', 'cancelled'] as const) await rowIn(table, state);
      await expect.poll(() => sweep.leased(MANY), SOON).toEqual([first, second, third, fourth]);
      await expect.poll(() => sweep.leased(1), SOON).toEqual([first]);
    });

    it('also finds rows written by a clock that was ahead, and lists them first', async () => {
      const old = await claimed(table, freshHash(), 10);
      const early = await claimed(table, freshHash(), 100);
      await claimed(table, freshHash(), 35);
      await expect.poll(() => sweep.unsent(at(30), MANY, at(40)), SOON).toEqual([early, old]);
      await expect.poll(() => sweep.unsent(at(30), 1, at(40)), SOON).toEqual([early]);
      const sent = [await markSent(old, 10), await markSent(early, 100)];
      await expect.poll(() => sweep.unsent(at(30), MANY, at(40)), SOON).toEqual([]);
      await expect.poll(() => sweep.stale(at(30), MANY, at(40)), SOON).toEqual(sent.toReversed());
    });

    it('finds finished builds past their time, oldest first', async () => {
      const expired: Build[] = [];
      for (const [state, minutes] of [
        ['cancelled', 30],
        ['done', 10],
        ['failed', 20],
      ] as const)
        expired.push(await rowIn(table, state, 'owner', minutes));
      for (const state of ['cancelled', 'done', 'failed'] as const) await rowIn(table, state, 'owner', 60);
      for (const state of ['queued', 'building', 'expiring'] as const) await rowIn(table, state);
      const [cancelled, done, failed] = expired;
      await expect.poll(() => sweep.expired(at(40), MANY), SOON).toEqual([done, failed, cancelled]);
      await expect.poll(() => sweep.expired(at(40), 2), SOON).toEqual([done, failed]);
    });
  });
}
