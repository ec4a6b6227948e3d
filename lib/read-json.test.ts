import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonLimitError, readJson } from './read-json.ts';
import { finished, PIECE } from './sliced.ts';

const GENEROUS = { maxDepth: 1_000, maxValues: 10_000_000 };
/** Long texts are read in another way than short ones; blanks around a text are no part of it. */
const BLANKS = ' '.repeat(600 * 1024);
const readShort = (text: string, limits = GENEROUS): unknown => finished(readJson(text, limits));
const readLong = (text: string, limits = GENEROUS): unknown => finished(readJson(text + BLANKS, limits));

const outcomeOf = (make: () => unknown): unknown => {
  try {
    return { value: make() };
  } catch (error) {
    return (error as Error).name;
  }
};

describe.each([
  ['short', readShort],
  ['long', readLong],
])('readJson of a %s text', (_, read) => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t\r\n '), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, space);
        expect(JSON.stringify(read(spaced))).toBe(JSON.stringify(JSON.parse(spaced)));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and nothing else', () => {
    const part = fc.constantFrom(
      ...'{}[]:,"\\ \n0123456789+-.eEtruefalsnu/',
      '\\u0041',
      '"a"',
      'true',
      'null',
      '1.5e3',
      '-0',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        expect(outcomeOf(() => read(text))).toEqual(outcomeOf(() => JSON.parse(text)));
      }),
      { numRuns: read === readShort ? 5_000 : 300 },
    );
  });

  it.each([
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '{"10":1,"2":2}',
    '"\\ud800"',
    ' [1 , 2 ] ',
    '"a\\"b\\\\"',
    '{"constructor":1}',
    '1e999',
  ])('%s is what JSON.parse says', (text) => {
    expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
  });

  it.each(['', ' ', '{', '[1,]', '{"a":1,}', '01', '"a', '"a\\', '[1 2]', '{"a" 1}', 'nul', 'truer', '"\n"', '[1}', '1 1'])(
    '%j is no JSON',
    (text) => {
      expect(() => read(text)).toThrow(SyntaxError);
    },
  );

  it('bounds nesting without using the stack', () => {
    const deep = (depth: number) => `${'{"a":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;
    expect(read(deep(32), { ...GENEROUS, maxDepth: 32 })).toEqual(JSON.parse(deep(32)));
    expect(() => read(deep(34), { ...GENEROUS, maxDepth: 32 })).toThrow(JsonLimitError);
    expect(() => read(deep(1_000_000), { ...GENEROUS, maxDepth: 32 })).toThrow('nested more than 32 deep');
  });

  it('bounds the number of values', () => {
    expect(read('[1,2]', { maxDepth: 1, maxValues: 3 })).toEqual([1, 2]);
    expect(() => read('[1,2,3]', { maxDepth: 1, maxValues: 3 })).toThrow(JsonLimitError);
  });
});

it('a long text is read in pieces', () => {
  const work = readJson(JSON.stringify(Array.from({ length: 10 * PIECE }, () => 1)) + BLANKS, GENEROUS);
  let pieces = 0;
  while (work.next().done !== true) pieces += 1;
  expect(pieces).toBe(10);
});
