import { expect, it } from 'vitest';
import { inTurn } from './in-turn.ts';

it('runs what it is given one at a time and in order, whatever fails', async () => {
  const run = inTurn();
  const happened: string[] = [];
  const work = (name: string, isFailing = false) =>
    run(async () => {
      happened.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      happened.push(`${name} ends`);
      if (isFailing) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(happened).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
