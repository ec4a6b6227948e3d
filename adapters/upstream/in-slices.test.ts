import { expect, it } from 'vitest';
import type { Sliced } from '#lib/sliced.ts';
import { inSlices } from './in-slices.ts';

it('lets other work run between slices', async () => {
  let hasFired = false;
  function* untilFired(): Sliced<string> {
    while (!hasFired) yield;
    return 'told';
  }
  // The timer fires only when the work lets the event loop run.
  setTimeout(() => {
    hasFired = true;
  }, 1);
  expect(await inSlices(untilFired())).toBe('told');
});

it('throws the error of the work', async () => {
  // biome-ignore lint/correctness/useYield: it fails in its first step.
  function* failing(): Sliced<never> {
    throw new Error('no good');
  }
  await expect(inSlices(failing())).rejects.toThrow('no good');
});
