import { beforeEach, describe, expect, it } from 'vitest';
import type { QueuedBuild } from '#core/build/build.ts';
import type { BuildTable, QueuePositions } from '#core/build/ports.ts';
import { claimed, moved, rowIn } from './drive-build.ts';
import { cancelled, done, freshHash, iso, requeued, running } from './sample-builds.ts';

export interface PositionedTable {
  readonly table: BuildTable;
  readonly positions: QueuePositions;
}

/** Milliseconds to wait: counts may come from an index that lags behind. */
const SOON = { timeout: 10_000, interval: 50 };

/** The contract of every `QueuePositions` (core/build/ports.ts). `make` returns a table that no other test uses meanwhile; it need not be empty. */
export function queuePositionsContract(name: string, make: () => PositionedTable | Promise<PositionedTable>): void {
  describe(`queue positions: ${name}`, () => {
    let table: BuildTable;
    let positions: QueuePositions;
    let waitingBefore: number;
    let runningBefore: number;
    beforeEach(async () => {
      ({ table, positions } = await make());
      waitingBefore = await positions.waiting();
      runningBefore = await positions.running();
    });

    const fill = async (count: number): Promise<QueuedBuild[]> => {
      const builds: QueuedBuild[] = [];
      for (let i = 0; i < count; i += 1) builds.push(await claimed(table));
      return builds;
    };
    const aheadOf = (builds: readonly QueuedBuild[]) => Promise.all(builds.map((build) => positions.ahead(build)));
    const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

    it('counts waiting and running builds, and no others', async () => {
      for (const state of ['done', 'failed', 'cancelled', 'expiring', 'building', 'building', 'queued'] as const) await rowIn(table, state);
      await expect.poll(() => positions.waiting(), SOON).toBe(waitingBefore + 1);
      await expect.poll(() => positions.running(), SOON).toBe(runningBefore + 2);
    });

    it('numbers the waiting builds in the order of their claims', async () => {
      const builds = await fill(5);
      await expect.poll(() => aheadOf(builds), SOON).toEqual(from(waitingBefore, 5));
    });

    it('counts by the row, not by the ticket the caller believes in', async () => {
      const [, second] = await fill(2);
      const { ticket: _, ...unnumbered } = second as QueuedBuild;
      await expect.poll(() => positions.ahead(unnumbered), SOON).toBe(waitingBefore + 1);
      await expect.poll(() => positions.ahead({ ...unnumbered, ticket: 1_000_000_000 }), SOON).toBe(waitingBefore + 1);
    });

    it('never grows for a waiting build while others come, are taken, finish and leave', async () => {
      const builds = await fill(6);
      const last = builds.at(-1) as QueuedBuild;
      await expect.poll(() => positions.ahead(last), SOON).toBe(waitingBefore + 5);
      let ahead = waitingBefore + 5;
      // The order differs, because several runners take builds at once.
      for (const index of [1, 0, 3, 2]) {
        const build = builds[index] as QueuedBuild;
        await claimed(table);
        if (index === 3) await moved(table, build, cancelled(build));
        else {
          const attempt = await moved(table, build, running(build, `runner-${index}`));
          if (index === 0) await moved(table, attempt, done(attempt));
        }
        ahead -= 1;
        await expect.poll(() => positions.ahead(last), SOON).toBe(ahead);
      }
    });

    it('puts a returning build back where it was', async () => {
      const builds = await fill(4);
      const second = builds[1] as QueuedBuild;
      const attempt = await moved(table, second, running(second, 'a'));
      await expect.poll(() => aheadOf(builds), SOON).toEqual([waitingBefore, 0, waitingBefore + 1, waitingBefore + 2]);
      const back = await moved(table, attempt, requeued(attempt, 50));
      await expect.poll(() => aheadOf([builds[0], back, builds[2], builds[3]] as QueuedBuild[]), SOON).toEqual(from(waitingBefore, 4));
    });

    it('knows how long the longest waiting build has waited, a returned one since its return', async () => {
      const oldest = async () => (await positions.oldest())?.toISOString();
      const rest = await oldest();
      // This time is long before any build that the table may hold.
      const first = await claimed(table, freshHash(), -2_000_000);
      const second = await claimed(table, freshHash(), -1_000_000);
      await expect.poll(oldest, SOON).toBe(iso(-2_000_000));
      const attempt = await moved(table, first, running(first, 'a'));
      await expect.poll(oldest, SOON).toBe(iso(-1_000_000));
      const back = await moved(table, attempt, requeued(attempt, -1_500_000));
      await expect.poll(oldest, SOON).toBe(iso(-1_500_000));
      for (const build of [back, second]) await moved(table, build, cancelled(build));
      await expect.poll(oldest, SOON).toBe(rest);
    });

    it('answers 0 for a build that no longer waits or never existed', async () => {
      const builds = await fill(3);
      const last = builds[2] as QueuedBuild;
      const attempt = await moved(table, last, running(last, 'a'));
      await expect.poll(() => positions.ahead(last), SOON).toBe(0);
      await moved(table, attempt, done(attempt));
      await expect.poll(() => positions.ahead(last), SOON).toBe(0);
    });
  });
}
