import { execFileSync } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { readAskingPipe } from './asking-pipe.ts';

it('a pipe that cannot be given to its user does not stay open', async () => {
  const pipe = join(await temporaryDirectory(), 'ask');
  execFileSync('mkfifo', [pipe]);
  await expect(readAskingPipe(pipe, -2)).rejects.toThrow();
  const open = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  expect(open).not.toContain(pipe);
});
