import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capacitySteps } from './capacity-steps.ts';

/**
 * Chooses a step as Application Auto Scaling does: by how far the metric is above the alarm's threshold of one build.
 */
const capacityFor = (builds: number, max: number): number | undefined =>
  capacitySteps(max).find(
    ({ metricIntervalLowerBound: lower = '-Infinity', metricIntervalUpperBound: upper = 'Infinity' }) =>
      builds - 1 >= Number(lower) && builds - 1 < Number(upper),
  )?.scalingAdjustment;

const max = fc.integer({ min: 1, max: 1_000 });
const builds = fc.integer({ min: 1, max: 100_000 });

describe('capacitySteps', () => {
  it('starts the first runner for the first build, and the maximum for many builds', () => {
    expect(capacityFor(1, 10)).toBe(1);
    expect([2, 3, 5, 9, 10, 500].map((count) => capacityFor(count, 10))).toEqual([2, 3, 4, 8, 10, 10]);
    expect(capacityFor(1_000, 1)).toBe(1);
  });

  it('never wants more runners than builds or than the maximum, and not many fewer', () => {
    fc.assert(
      fc.property(max, builds, (limit, count) => {
        const capacity = capacityFor(count, limit) ?? 0;
        expect(capacity).toBeLessThanOrEqual(Math.min(limit, count));
        expect(capacity).toBeGreaterThanOrEqual(Math.floor(Math.min(limit, count) / 1.6));
      }),
    );
  });

  it('has no more steps than AWS accepts, without a gap', () => {
    fc.assert(
      fc.property(max, (limit) => {
        const steps = capacitySteps(limit);
        expect(steps.length).toBeLessThanOrEqual(20);
        expect(steps[0]?.metricIntervalLowerBound).toBe('0');
        for (const [index, { metricIntervalUpperBound: upper }] of steps.entries())
          expect(upper).toBe(steps[index + 1]?.metricIntervalLowerBound);
      }),
    );
  });
});
