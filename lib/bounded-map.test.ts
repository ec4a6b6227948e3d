import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedMap } from './bounded-map.ts';

describe('boundedMap', () => {
  it('lets go what was longest not used', () => {
    const map = boundedMap<number>(3, () => 1);
    for (const key of ['a', 'b', 'c']) map.set(key, 1);
    map.get('a');
    map.set('d', 1);
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([1, undefined, 1, 1]);
  });

  it('does not keep what is too heavy alone, nor an older value under its key', () => {
    const map = boundedMap<number>(10, (weight) => weight);
    map.set('other', 3);
    map.set('key', 5);
    map.set('key', 11);
    expect([map.get('key'), map.get('other')]).toEqual([undefined, 3]);
  });

  it('never weighs more than it may, answers only what was last set, and keeps the newest that fits', () => {
    const steps = fc.array(
      fc.record({ call: fc.constantFrom('get', 'set', 'delete'), key: fc.constantFrom('a', 'b', 'c', 'd'), weight: fc.nat(6) }),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const map = boundedMap<number>(10, (weight) => weight);
        const last = new Map<string, number>();
        for (const { call, key, weight } of all) {
          if (call === 'get') map.get(key);
          if (call === 'delete') {
            map.delete(key);
            last.delete(key);
          }
          if (call === 'set') {
            map.set(key, weight);
            last.set(key, weight);
            expect(map.get(key)).toBe(weight);
          }
          const kept = ['a', 'b', 'c', 'd'].filter((name) => map.get(name) !== undefined);
          for (const name of kept) expect(map.get(name)).toBe(last.get(name));
          expect(kept.reduce((sum, name) => sum + (last.get(name) ?? 0), 0)).toBeLessThanOrEqual(10);
        }
      }),
    );
  });
});
