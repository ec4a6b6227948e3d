import { beforeAll, describe, expect, it } from 'vitest';
import type { Build } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import { claimed, moved } from './drive-build.ts';
import { cancelled, done, expiring, freshHash, running, sampleOrder } from './sample-builds.ts';

export interface ReadTable {
  /** The table as its writer has it. */
  readonly table: BuildTable;
  /** The same table as another process has it, which reads what the first one writes. */
  readonly reader: BuildTable;
  /** `strong`: each read is current. `behind`: rows may be as they were a moment before. */
  readonly reads: 'strong' | 'behind';
}

/** Milliseconds to wait: a read may be a moment behind. */
const SOON = { timeout: 10_000, interval: 50 };

/** The contract of every `BuildTable` towards a process that only reads it. `make` may return the same, shared table each time. */
export function buildTableReadersContract(name: string, make: () => ReadTable | Promise<ReadTable>): void {
  describe(`readers of a build table: ${name}`, () => {
    let one: ReadTable;
    beforeAll(async () => {
      one = await make();
    });

    /** Checks one read without `isLatest`, which shows one of the rows that there have been. */
    const check = async (hash: Build['hash'], rows: readonly (Build | undefined)[]) => {
      const seen = await one.reader.get(hash);
      if (one.reads === 'strong') expect(seen).toEqual(rows.at(-1));
      else expect(rows).toContainEqual(seen);
    };

    it('find a build at once that was claimed just now, and its order', async () => {
      const build = await claimed(one.table);
      expect(await one.reader.get(build.hash)).toEqual(build);
      expect(await one.reader.order(build.hash)).toEqual(sampleOrder(build.hash));
    });

    it('see each state at once when they ask for the latest, and otherwise no state that the build never had', async () => {
      const queued = await claimed(one.table);
      const { hash } = queued;
      const rows: (Build | undefined)[] = [queued];
      for (const next of [(row: Build) => running(row, 'a'), (row: Build) => done(row as never), (row: Build) => expiring(row, 'sweep')]) {
        const row = await moved(one.table, rows.at(-1) as Build, next(rows.at(-1) as Build));
        rows.push(row);
        await check(hash, rows);
        expect(await one.reader.get(hash, { isLatest: true })).toEqual(row);
      }
      await expect.poll(() => one.reader.get(hash), SOON).toEqual(rows.at(-1));
    });

    it('see a removed build no longer when they ask for the latest, and otherwise soon', async () => {
      const queued = await claimed(one.table);
      const over = await moved(one.table, queued, cancelled(queued));
      const row = await moved(one.table, over, expiring(over, 'sweep'));
      await one.table.remove(row);
      await check(queued.hash, [queued, over, row, undefined]);
      expect(await one.reader.get(queued.hash, { isLatest: true })).toBeUndefined();
      await expect.poll(() => one.reader.get(queued.hash), SOON).toBeUndefined();
      await expect.poll(() => one.reader.order(queued.hash), SOON).toBeUndefined();
    });

    it('may write on from what they have seen: a stale row moves nothing, and the answer is the row as it is', async () => {
      const build = await claimed(one.table, freshHash());
      const attempt = await moved(one.table, build, running(build, 'a'));
      expect(await one.reader.transition(build, running(build, 'b'))).toEqual({ moved: false, current: attempt });
      expect(await one.reader.transition(build, cancelled(build))).toEqual({ moved: false, current: attempt });
    });
  });
}
