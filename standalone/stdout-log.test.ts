import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const module = fileURLToPath(new URL('stdout-log.ts', import.meta.url));

const linesOf = async (ending: string) => {
  const script = `import { stdoutLog } from ${JSON.stringify(module)};
    const log = stdoutLog('info');
    log.info('first');
    setImmediate(() => setImmediate(() => {
      log.info('last', { reason: 'about to end' });
      ${ending}
    }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]).catch((error: { stdout: string }) => error);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message);
};

it.each([
  ['by itself', ''],
  ['at once', 'process.exit(1);'],
  ['by an uncaught error', "throw new TypeError('oh');"],
])('no log line is lost when the process ends %s', async (_, ending) => {
  expect(await linesOf(ending)).toEqual(['first', 'last']);
});

it('a slow reader also gets the last lines of an ending process', async () => {
  const script = `import { stdoutLog } from ${JSON.stringify(module)};
    const log = stdoutLog('info');
    for (let i = 0; i < 3000; i++) log.info('line', { i, filler: 'x'.repeat(50) });
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  await delay(700);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect([await ended, errors]).toEqual([[0, null], '']);
  expect(out.trimEnd().split('\n')).toHaveLength(3000);
});
