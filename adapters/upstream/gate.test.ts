import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { gate } from './gate.ts';

it('lets no more through at once than it may, in their order, whatever becomes of them', async () => {
  const inTurn = gate(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const tasks = Array.from({ length: 7 }, (_, index) =>
    inTurn(async () => {
      begun.push(index);
      running += 1;
      most = Math.max(most, running);
      await sleep(1);
      running -= 1;
      if (index % 3 === 0) throw new Error(`task ${index}`);
      return index;
    }),
  );
  const outcomes = await Promise.allSettled(tasks);
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([false, true, true, false, true, true, false]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(most).toBe(2);
  expect(await inTurn(async () => 'later')).toBe('later');
});
