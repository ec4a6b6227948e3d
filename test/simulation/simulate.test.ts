import { describe, expect, it } from 'vitest';
import { BrokenPromise } from './broken-promise.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

/**
 * Seeds that have found a fault of the server or of the simulator, with what was wrong. A change of the simulator gives
 * them other courses of events; the unit test named there keeps the fault itself away.
 */
const FOUND: Readonly<Record<number, string>> = {
  114: 'the result of an attempt that went back to the queue stayed (core/build/run-build.test.ts)',
  154: 'a slow answer with an older place in the queue is no growth',
  325: 'as 114',
  409: 'as 114',
  4568: 'as 154, in the answer to a submit',
  2016: 'an attempt whose last write came late, without its runner knowing, is left to the backstop',
  11568: 'a renewal that arrives late is no longer a lease to its holder',
  12097: 'as 11568',
  12630: 'as 11568',
  10642: 'a slow request replaced a failed build that it had not seen (core/build/submit-build.test.ts)',
  1145090332: 'as 10642, and the old 200 was still published',
  1081314718: 'a slow request counted the build of another one as begun by itself (core/build/submit-build.test.ts)',
  1065994276: 'a late write of a runner took its renewal back (core/build/keep-lease.test.ts)',
};

describe('a simulation', () => {
  it.each(Object.entries(FOUND))('of seed %s keeps every promise: %s', async (seed) => {
    const { broken, steps } = await simulate({ seed: Number(seed) });
    expect(broken).toBeUndefined();
    expect(steps).toBeGreaterThan(100);
  });

  it('is the same each time', async () => {
    const [one, two] = [await simulate({ seed: 7, isTraced: true }), await simulate({ seed: 7, isTraced: true })];
    expect(one.trace.length).toBeGreaterThan(100);
    expect(two.trace).toEqual(one.trace);
    expect(two.faults).toEqual(one.faults);
  });

  it('meets every kind of fault, and ends builds', async () => {
    const kinds = new Set<string>();
    let builds = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const outcome = await simulate({ seed });
      for (const { kind } of outcome.faults) kinds.add(kind);
      builds += outcome.builds;
    }
    expect([...kinds].sort()).toEqual(
      ['asked to stop', 'killed after', 'killed before', 'late', 'lost', 'refused', 'slow', 'slow answer', 'stopped'].sort(),
    );
    expect(builds).toBeGreaterThan(40);
  });

  it('without its faults keeps every promise too', async () => {
    const { broken, faults, builds } = await simulate({ seed: 3, only: new Set() });
    expect(broken).toBeUndefined();
    expect(faults).toEqual([]);
    expect(builds).toBeGreaterThan(0);
  });
});

describe('shrinking', () => {
  const fault = (id: string) => ({ id, kind: 'refused', ms: 0 }) as const;
  const outcome = (ids: readonly string[], promise: string | undefined): Outcome => ({
    seed: 1,
    broken: promise === undefined ? undefined : new BrokenPromise(promise, 'test'),
    steps: 1,
    faults: ids.map(fault),
    builds: 0,
    calls: new Map(),
    trace: [],
  });

  it('keeps only the faults that break the same promise', async () => {
    const all = Array.from({ length: 40 }, (_, n) => `p#${n}`);
    const again = async (only: ReadonlySet<string>) =>
      outcome([...only], only.has('p#3') && only.has('p#31') ? 'I3' : only.size > 10 ? 'I2' : undefined);
    const { only } = await shrink(outcome(all, 'I3'), again);
    expect([...only]).toEqual(['p#3', 'p#31']);
  });
});
