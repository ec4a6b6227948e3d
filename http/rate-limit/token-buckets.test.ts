import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenBuckets } from './token-buckets.ts';

describe('tokenBuckets', () => {
  const at = { ms: 0 };
  const monotonic = () => at.ms;

  it('gives a burst at once, then one token each time that one has come back, and says when that is', () => {
    const buckets = tokenBuckets({ burst: 3, perHour: 60, monotonic });
    const take = () => buckets.take('a');
    expect([take(), take(), take()].map(({ taken }) => taken)).toEqual([true, true, true]);
    expect(take()).toEqual({ taken: false, retryAfterSeconds: 60 });
    at.ms += 59_000;
    expect(take()).toEqual({ taken: false, retryAfterSeconds: 1 });
    at.ms += 1_000;
    expect(take().taken).toBe(true);
    expect(take().taken).toBe(false);
    expect(buckets.take('b').taken).toBe(true);
  });

  it('never gives more than burst and refill allow, whatever is given back', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 120_000 }), giveBack: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 600 }),
        (steps, burst, perHour) => {
          const started = at.ms;
          const buckets = tokenBuckets({ burst, perHour, monotonic });
          let kept = 0;
          for (const { wait, giveBack } of steps) {
            at.ms += wait;
            const token = buckets.take('key');
            if (!token.taken) continue;
            if (giveBack) token.giveBack();
            else kept += 1;
            expect(kept).toBeLessThanOrEqual(burst + ((at.ms - started) * perHour) / 3_600_000 + 1e-6);
          }
        },
      ),
    );
  });
});
