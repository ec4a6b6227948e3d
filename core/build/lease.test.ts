import { describe, expect, it } from 'vitest';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { simulatedTime } from '#test/support/simulated-time.ts';
import { isLapsed, leaseFor, renewed } from './lease.ts';
import { sightings } from './sightings.ts';

const START = new Date('2026-11-20T12:00:00Z');
const HOUR = 3_600;

/** Returns a sweeper, and a runner whose clock is `aheadSeconds` ahead of the sweeper's. */
function machines(aheadSeconds = 0) {
  const time = simulatedTime(START);
  const deps = { now: time.now, sightings: sightings(time.monotonic) };
  const hash = freshHash();
  const runnerNow = () => new Date(time.now().getTime() + aheadSeconds * 1000);
  return { ...time, runnerNow, lapsed: (lease: Parameters<typeof isLapsed>[2]) => isLapsed(deps, hash, lease) };
}

describe('a lease', () => {
  it.each([0, 40, -40, HOUR, -HOUR])(
    'of a runner whose clock is %i s ahead lapses when it was not renewed for its own time',
    async (ahead) => {
      const { pass, lapsed, runnerNow } = machines(ahead);
      let lease = leaseFor('runner', runnerNow(), 60);
      for (let look = 0; look < 10; look += 1) {
        expect(lapsed(lease)).toBe(false);
        await pass(30);
        lease = renewed(lease, runnerNow(), 60);
      }
      expect(lapsed(lease)).toBe(false);
      await pass(59);
      expect(lapsed(lease)).toBe(false);
      await pass(1);
      expect(lapsed(lease)).toBe(true);
    },
  );

  it.each([HOUR, -HOUR])("is judged the same after the sweeper's clock was set by %i s", async (step) => {
    const { pass, lapsed, now, step: set } = machines();
    const lease = leaseFor('runner', now(), 60);
    expect(lapsed(lease)).toBe(false);
    set(step);
    await pass(59);
    expect(lapsed(lease)).toBe(false);
    await pass(1);
    expect(lapsed(lease)).toBe(true);
  });

  it('counts from zero after each renewal, however often the clock is set back to the same time', async () => {
    const { pass, lapsed, now, step } = machines();
    let lease = leaseFor('runner', now(), 60);
    for (let look = 0; look < 10; look += 1) {
      expect(lapsed(lease)).toBe(false);
      await pass(30);
      step(-30);
      lease = renewed(lease, now(), 60);
    }
    expect(lapsed(lease)).toBe(false);
  });

  it('counts from zero for each owner', async () => {
    const { pass, lapsed, now } = machines();
    const one = leaseFor('one', now(), 60);
    expect(lapsed(one)).toBe(false);
    await pass(60);
    expect(lapsed({ ...one, owner: 'other' })).toBe(false);
  });
});

describe('a lease of an earlier version, which does not say how long it lasts', () => {
  const old = { owner: 'runner', expiresAt: new Date(START.getTime() + 60_000).toISOString() };

  it('lapses by the time of day, with room for two clocks that are a minute apart', async () => {
    const { pass, lapsed } = machines();
    await pass(120);
    expect(lapsed(old)).toBe(false);
    await pass(1);
    expect(lapsed(old)).toBe(true);
  });

  it('also lapses when the clock was set back, after the longest time that such a lease lasted', async () => {
    const { pass, lapsed, step } = machines();
    expect(lapsed(old)).toBe(false);
    step(-HOUR);
    await pass(449);
    expect(lapsed(old)).toBe(false);
    await pass(1);
    expect(lapsed(old)).toBe(true);
  });
});
