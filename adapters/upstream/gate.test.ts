import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { GateFullError, gate } from './gate.ts';

it('runs at most so many tasks at once, in the order of the calls, whether they succeed or fail', async () => {
  const runInTurn = gate(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const tasks = Array.from({ length: 7 }, (_, index) =>
    runInTurn(async () => {
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
  expect(await runInTurn(async () => 'later')).toBe('later');
});

it('refuses a task at once when as many wait as may, and takes others once there is room', async () => {
  const runInTurn = gate(1, 2);
  const ended = Promise.withResolvers<void>();
  const tasks = [1, 2, 3].map(() => runInTurn(() => ended.promise));
  await expect(runInTurn(async () => 'too many')).rejects.toBeInstanceOf(GateFullError);
  ended.resolve();
  await Promise.all(tasks);
  expect(await runInTurn(async () => 'later')).toBe('later');
});
