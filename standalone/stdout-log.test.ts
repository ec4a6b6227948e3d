import { execFile } from 'node:child_process';
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
  ['by a fault of ours', "throw new TypeError('oh');"],
])('nothing that was logged is lost when the process ends %s', async (_, ending) => {
  expect(await linesOf(ending)).toEqual(['first', 'last']);
});
