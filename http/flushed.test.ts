import { describe, expect, it } from 'vitest';
import { flushed } from './flushed.ts';

describe('flushed', () => {
  it('answers after the flush, whether the handler did or not', async () => {
    const order: string[] = [];
    const flush = async () => {
      await Promise.resolve();
      order.push('flushed');
    };
    expect(await flushed(async (name: string) => `${name}!`, flush)('a')).toBe('a!');
    order.push('answered');
    await expect(flushed(() => Promise.reject(new Error('no')), flush)()).rejects.toThrow('no');
    order.push('failed');
    expect(order).toEqual(['flushed', 'answered', 'flushed', 'failed']);
  });
});
