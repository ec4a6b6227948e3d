import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('main.ts', import.meta.url));

function start(...args: string[]): { process: ChildProcess; ended: Promise<{ code: number | null; out: string[]; err: string }> } {
  const process = spawn(globalThis.process.execPath, ['--disable-warning=ExperimentalWarning', SCRIPT, ...args]);
  let [out, err] = ['', ''];
  process.stdout.on('data', (chunk) => {
    out += chunk;
  });
  process.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = once(process, 'close').then(([code]) => ({ code: code as number | null, out: out.trim().split('\n'), err }));
  return { process, ended };
}

it('says seeds, steps and faults in its last line, and what met no fault', async () => {
  const { code, out } = await start('--seeds', '30', '--first', '1').ended;
  expect(code).toBe(0);
  expect(out.at(-1)).toMatch(/^30 seeds, \d+ steps, \d+ faults, \d+ builds, 0 broken promises$/);
  expect(out).toContain('ports without faults:');
});

it('stops at an interrupt, with the sums so far and without success', async () => {
  const { process, ended } = start('--seeds', '100000', '--first', '1');
  await once(process.stdout as NodeJS.ReadableStream, 'data');
  process.kill('SIGINT');
  const { code, out } = await ended;
  expect(code).toBe(1);
  expect(out.join('\n')).toMatch(/stopped early: \d+ of 100000 seeds/);
  expect(out.at(-1)).toMatch(/^\d+ seeds, .* 0 broken promises$/);
});

it('answers a wrong argument with what is allowed', async () => {
  const { code, err } = await start('--seeds', 'many').ended;
  expect(code).toBe(2);
  expect(err).toMatch(/--seeds many: expected a whole number/);
  expect(err).toMatch(/usage: npm run simulate/);
});
