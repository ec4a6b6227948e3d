import { describe, expect, it } from 'vitest';
import { withTimeout } from './with-timeout.ts';

const never = new Promise<never>(() => undefined);

describe('withTimeout', () => {
  it('returns what the task returns and rejects with what it rejects with', async () => {
    expect(await withTimeout(60_000, Promise.resolve(7))).toBe(7);
    await expect(withTimeout(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('rejects when the task takes longer, and says how long it waited', async () => {
    await expect(withTimeout(5, never)).rejects.toThrow('no answer within 5 ms');
    await expect(withTimeout(1_000, never)).rejects.toThrow('no answer within 1 s');
  });
});
