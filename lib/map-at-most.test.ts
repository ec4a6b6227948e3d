import { expect, it } from 'vitest';
import { mapAtMost } from './map-at-most.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('runs at most so many at a time and keeps the order', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapAtMost([5, 1, 4, 2, 3, 0], 2, async (turns) => {
    most = Math.max(most, ++running);
    for (let count = 0; count < turns; count++) await turn();
    running--;
    return 2 * turns;
  });
  expect(doubled).toEqual([10, 2, 8, 4, 6, 0]);
  expect(most).toBe(2);
});

it('rejects with the failure of one and begins no other', async () => {
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await turn();
    if (item === 1) throw new Error('no good');
  };
  await expect(mapAtMost([1, 2, 3, 4], 2, work)).rejects.toThrow('no good');
  await turn();
  expect(begun).toEqual([1, 2]);
});
