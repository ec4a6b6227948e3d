import { describe, expect, it } from 'vitest';
import { type Disturbance, disturbances } from './disturbances.ts';
import { REQUEST_KINDS } from './requests.ts';
import { seededRandom } from './seeded-random.ts';
import { visits } from './visits.ts';

const MANY = 400;
const drawn = <T>(plan: Generator<T, never>) => Array.from({ length: MANY }, () => plan.next().value);
const planOf = (seed: number) => ({ visits: drawn(visits(seed)), disturbances: drawn(disturbances(seed)) });

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another seed', () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(8).visits).not.toEqual(planOf(7).visits);
    expect(planOf(8).disturbances).not.toEqual(planOf(7).disturbances);
  });

  it.each([1, 2, 4_294_967_295])('has every kind of request, client and disturbance: seed %i', (seed) => {
    const plan = planOf(seed);
    expect(new Set(plan.visits.map(({ request }) => request.kind))).toEqual(new Set(REQUEST_KINDS));
    expect(new Set(plan.visits.map(({ behaviour }) => behaviour))).toEqual(
      new Set(['waits', 'leaves-while-sending', 'leaves-before-answer']),
    );
    const kinds: Disturbance['kind'][] = ['kill', 'terminate', 'kill-starting', 'upstream', 'clock'];
    expect(new Set(plan.disturbances.map(({ kind }) => kind))).toEqual(new Set(kinds));
    const faults = plan.disturbances.flatMap((one) => (one.kind === 'upstream' ? [one.fault.kind] : []));
    expect(new Set(faults)).toEqual(new Set(['status', 'html', 'truncated', 'wrong-bytes', 'reset', 'hang', 'slow']));
    const steps = plan.disturbances.flatMap((one) => (one.kind === 'clock' ? [Math.sign(one.seconds)] : []));
    expect(new Set(steps)).toEqual(new Set([1, -1]));
  });

  it('repeats requests, at the same moment and later', () => {
    const { visits: planned } = planOf(1);
    expect(planned.some(({ copies }) => copies > 1)).toBe(true);
    expect(new Set(planned.map(({ request }) => request.number)).size).toBeLessThan(MANY * 0.8);
  });
});

describe('seededRandom', () => {
  it('draws every number of a range, and chooses by weight', () => {
    const random = seededRandom(1);
    const numbers = Array.from({ length: 1_000 }, () => random.between(3, 6));
    expect(new Set(numbers)).toEqual(new Set([3, 4, 5, 6]));
    const chosen = Array.from({ length: 1_000 }, () => random.weighted({ often: 99, seldom: 1, never: 0 }));
    expect(chosen.filter((one) => one === 'often').length).toBeGreaterThan(900);
    expect(chosen).not.toContain('never');
  });
});
