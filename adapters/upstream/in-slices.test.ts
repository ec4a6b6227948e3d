import { expect, it } from 'vitest';
import type { Sliced } from '#lib/sliced.ts';
import { inSlices } from './in-slices.ts';

it('lets others work between slices', async () => {
  let isTold = false;
  function* untilTold(): Sliced<string> {
    while (!isTold) yield;
    return 'told';
  }
  // Never called while the work keeps the process to itself.
  setTimeout(() => {
    isTold = true;
  }, 1);
  expect(await inSlices(untilTold())).toBe('told');
});

it('throws what the work throws', async () => {
  // biome-ignore lint/correctness/useYield: it fails in its first piece.
  function* failing(): Sliced<never> {
    throw new Error('no good');
  }
  await expect(inSlices(failing())).rejects.toThrow('no good');
});
