import { describe, expect, it } from 'vitest';
import { done, freshHash, queued, running } from '#test/contracts/sample-builds.ts';
import { simulatedTime } from '#test/support/simulated-time.ts';
import { timeOfBuilds } from './time-of-builds.ts';

const HOUR = 3_600;

function at(time: string) {
  const clocks = simulatedTime(new Date(time));
  const build = { ...done(running(queued(freshHash()), 'runner')), finishedAt: '2026-11-20T12:00:00.000Z' };
  const timeOf = timeOfBuilds(clocks.now, clocks.monotonic);
  return { ...clocks, build, timeOf, read: () => timeOf(build).toISOString() };
}

describe('the time of a build that has ended', () => {
  it('is the time of day', async () => {
    const { read, pass } = at('2026-11-20T12:30:00.000Z');
    expect(read()).toBe('2026-11-20T12:30:00.000Z');
    await pass(60);
    expect(read()).toBe('2026-11-20T12:31:00.000Z');
  });

  it('continues when the clock is set back, and jumps with a clock that is set forward', async () => {
    const { read, pass, step } = at('2026-11-20T12:30:00.000Z');
    read();
    step(-HOUR);
    await pass(60);
    expect(read()).toBe('2026-11-20T12:31:00.000Z');
    step(2 * HOUR);
    expect(read()).toBe('2026-11-20T13:31:00.000Z');
  });

  it('begins with its end when that lies in the future', async () => {
    const { read, pass } = at('2026-11-20T11:00:00.000Z');
    expect(read()).toBe('2026-11-20T12:00:00.000Z');
    await pass(60);
    expect(read()).toBe('2026-11-20T12:01:00.000Z');
    // The clock has caught up and must not set this time back.
    await pass(HOUR);
    expect(read()).toBe('2026-11-20T13:01:00.000Z');
  });

  it('begins again when the end is another one', async () => {
    const { read, pass, build, timeOf } = at('2026-11-20T11:00:00.000Z');
    read();
    await pass(60);
    expect(timeOf({ ...build, finishedAt: '2026-11-20T11:00:30.000Z' }).toISOString()).toBe('2026-11-20T11:01:00.000Z');
  });

  it('is the time of day again after the clock was wrong for a moment in which the process first saw the end', async () => {
    const { read, pass, step } = at('2026-11-20T12:30:00.000Z');
    step(24 * HOUR);
    expect(read()).toBe('2026-11-21T12:30:00.000Z');
    await pass(5);
    step(-24 * HOUR);
    expect(read()).toBe('2026-11-20T12:30:05.000Z');
  });
});
