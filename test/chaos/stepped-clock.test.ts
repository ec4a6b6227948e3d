import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { steppedClock } from './stepped-clock.ts';

/** The farthest that the two clocks of this test differ for want of time. */
const NEAR_MS = 60_000;

it('sets the time of day of another process, forward and back, and never farther than half an hour', async () => {
  const clock = steppedClock(join(await temporaryDirectory(), 'clock'));
  const script = "process.stdin.on('data', () => console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime()])))";
  const child = spawn(process.execPath, ['--eval', script], { env: { ...clock.environment }, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const aheadSeconds = async () => {
    child.stdin.write('?\n');
    const { value } = await lines.next();
    const [now, made, fixed] = JSON.parse(String(value));
    expect(Math.abs(made - now)).toBeLessThan(NEAR_MS);
    expect(fixed).toBe(5);
    return Math.round((now - Date.now()) / NEAR_MS) * 60;
  };
  const reaches = (seconds: number) => expect.poll(aheadSeconds, { timeout: 30_000, interval: 20 }).toBe(seconds);
  try {
    await reaches(0);
    clock.step(1_200);
    await reaches(1_200);
    clock.step(-1_800);
    await reaches(-600);
    clock.step(-3_600);
    await reaches(-1_800);
    expect(clock.offsetSeconds()).toBe(-1_800);
  } finally {
    child.kill('SIGKILL');
  }
});
