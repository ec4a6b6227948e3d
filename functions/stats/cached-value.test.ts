import { describe, expect, it } from 'vitest';
import { cachedValue } from './cached-value.ts';

function counting() {
  const clock = { time: 0, made: 0, isDown: false };
  const value = cachedValue(
    async () => {
      clock.made++;
      if (clock.isDown) throw new Error('down');
      return clock.made;
    },
    1_000,
    () => clock.time,
  );
  return { clock, value };
}

describe('cachedValue', () => {
  it('makes the value once for all callers at the same time, and again when it is old', async () => {
    const { clock, value } = counting();
    expect(await Promise.all([value(), value(), value()])).toEqual([1, 1, 1]);
    clock.time = 999;
    expect(await value()).toBe(1);
    clock.time = 1_000;
    expect(await Promise.all([value(), value()])).toEqual([2, 2]);
  });

  it('returns the last value while none can be made, and fails only if there is none', async () => {
    const { clock, value } = counting();
    clock.isDown = true;
    await expect(value()).rejects.toThrow('down');
    clock.isDown = false;
    expect(await value()).toBe(2);
    clock.isDown = true;
    clock.time = 5_000;
    expect(await value()).toBe(2);
    clock.isDown = false;
    expect(await value()).toBe(4);
  });
});
