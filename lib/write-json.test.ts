import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { finished, PIECE } from './sliced.ts';
import { writeJson } from './write-json.ts';

const written = (value: unknown) => finished(writeJson(value));

it('writes what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      expect(written(value)).toBe(JSON.stringify(value));
    }),
  );
});

it.each([undefined, { a: undefined, b: 1 }, [undefined, 1], Object.assign(Object.create(null), { a: 1 }), { ['__proto__']: 1 }])(
  '%j is written as JSON.stringify writes it',
  (value) => {
    expect(written(value)).toBe(JSON.stringify(value));
  },
);

it('yields in between', () => {
  const work = writeJson({ a: { b: Array.from({ length: 3 * PIECE }, () => 'x') } });
  let pieces = 0;
  while (work.next().done !== true) pieces += 1;
  expect(pieces).toBe(3);
});
