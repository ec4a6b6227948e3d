import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('main.ts', import.meta.url));
const PRELOAD = new URL('preload-mutation.ts', import.meta.url).href;

const start = (...args: string[]) => startNode([SCRIPT, ...args]);

function startNode(args: readonly string[]): {
  process: ChildProcess;
  ended: Promise<{ code: number | null; out: string[]; err: string }>;
} {
  const process = spawn(globalThis.process.execPath, ['--disable-warning=ExperimentalWarning', ...args]);
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

it('prints a seed that breaks a promise, with the fewest faults and its trace, and ends without success', async () => {
  const preload = `${PRELOAD}?${encodeURIComponent('a message that could not be sent is never sent again')}`;
  const { code, out } = await startNode(['--import', preload, SCRIPT, '--seeds', '8', '--first', '1']).ended;
  expect(code).toBe(1);
  const [report] = out.flatMap((line, index) => (/^seed \d+ breaks I2: /.test(line) ? [out.slice(index)] : []));
  const [, kept, all] = /^with (\d+) of its (\d+) faults \(\d+ tries\) it breaks I2: /.exec(report?.[1] ?? '') ?? [];
  expect(Number(kept)).toBeLessThan(Number(all));
  expect(report?.slice(2, 2 + Number(kept)).every((line) => /^ {2}\S+#\d+ \w/.test(line))).toBe(true);
  expect(report?.[2 + Number(kept)]).toMatch(/^the last \d+ of \d+ lines of its trace:$/);
  expect(report?.some((line) => / BREAKS I2: /.test(line))).toBe(true);
  expect(out.some((line) => /^again: npm run simulate -- --first \d+ --seeds 1$/.test(line))).toBe(true);
  expect(out.some((line) => /^seeds that break a promise: \d+/.test(line))).toBe(true);
  expect(out.at(-1)).toMatch(/^\d+ seeds, .* [1-9]\d* broken promises$/);
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
