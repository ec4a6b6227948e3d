import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MARKER, markerOf } from '#runner/processes/build-marker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { leftByBuilds } from './left-by-builds.ts';

it('finds directories and processes of builds below a directory, and none of other builds', async () => {
  const [builds, others] = [await temporaryDirectory(), await temporaryDirectory()];
  expect(await leftByBuilds(builds)).toEqual([]);
  expect(await leftByBuilds(join(builds, 'never-made'))).toEqual([]);

  const build = join(builds, 'build.1.0123abcd');
  await mkdir(build);
  const child = spawn('sleep', ['31955512'], { env: { [MARKER]: markerOf(build) } });
  await once(child, 'spawn');
  try {
    expect(await leftByBuilds(builds)).toEqual([
      'the directory build.1.0123abcd of a build is left',
      expect.stringContaining(`process ${child.pid} of the build`),
    ]);
    expect(await leftByBuilds(others)).toEqual([]);
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});
