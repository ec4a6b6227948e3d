import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from './edit-distance.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['vim', 'vim', 0],
    ['vmi', 'vim', 2],
    ['tmux', 'tmu', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j and %j differ by %i', (a, b, distance) => {
    expect(editDistance(a, b, 10)).toBe(distance);
    expect(editDistance(b, a, 10)).toBe(distance);
  });

  it('is limit + 1 wherever the texts differ by more, and the same number for every larger limit', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), fc.nat(12), (a, b, limit) => {
        const distance = editDistance(a, b, 12);
        expect(editDistance(a, b, limit)).toBe(Math.min(distance, limit + 1));
      }),
    );
  });
});
