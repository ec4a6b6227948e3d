import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findProcesses } from '#runner/processes/process-table.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

const MAIN = fileURLToPath(new URL('../chaos/main.ts', import.meta.url));

/** Starts a run. `until` settles when it has printed the text, or has ended. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const ended = once(child, 'close').then(([code]) => code as number | null);
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  const until = (text: string) => expect.poll(() => printed.includes(text) || child.exitCode !== null, { timeout: 120_000 }).toBe(true);
  return { child, ended, until, printed: () => printed };
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

it('a short run breaks no promise, says so in its last line, and leaves nothing', async () => {
  const directory = join(await temporaryDirectory(), 'run');
  const run = start('--builds', '5', '--seed', '1', '--dir', directory);
  expect([await run.ended, run.printed()]).toEqual([0, expect.any(String)]);
  expect(lastLine(run.printed())).toMatch(/^\d+ builds, \d+ kills, \d+ faults, [1-9]\d* files, 0 broken promises$/);
  await expect(readdir(directory)).rejects.toThrow('ENOENT');
});

it('Ctrl-C ends everything that a run has started, and prints what there is', async () => {
  const directory = join(await temporaryDirectory(), 'run');
  const run = start('--builds', '1000', '--dir', directory);
  const children = () => findProcesses(({ parent }) => parent === run.child.pid);
  await run.until('of 1000 builds have ended');
  expect((await children()).length).toBeGreaterThan(0);
  const started = await children();
  run.child.kill('SIGINT');
  expect([await run.ended, run.printed()]).toEqual([130, expect.any(String)]);
  expect(run.printed()).toContain('The run was stopped early');
  expect(lastLine(run.printed())).toMatch(/^\d+ builds, .* 0 broken promises$/);
  const pids = started.map(({ pid }) => pid);
  expect(await findProcesses(({ pid }) => pids.includes(pid))).toEqual([]);
  await expect(readdir(directory)).rejects.toThrow('ENOENT');
});

it('an argument that cannot be used ends the run at once, with its name and what is allowed', async () => {
  const run = start('--builds', 'many');
  expect(await run.ended).toBe(2);
  expect(run.printed()).toBe('--builds many: expected a whole number from 1 to 100000\n');
});
