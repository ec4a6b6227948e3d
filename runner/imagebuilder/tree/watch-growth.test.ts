import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { watchGrowth } from './watch-growth.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const MIB = 1024 * 1024;

it('what takes more of the disk than it may is ended as the request’s fault', async () => {
  const growth = watchGrowth(directory, MIB, 10);
  await writeFile(join(directory, 'large'), Buffer.alloc(2 * MIB, 1));
  await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
  growth.stop();
  expect(growth.signal.reason).toBeInstanceOf(BuildFailure);
  expect(String(growth.signal.reason)).toContain('more than 1 MB of disk');
});

it('what takes less goes on, and nothing is watched that is over', async () => {
  const growth = watchGrowth(directory, 4 * MIB, 5);
  await writeFile(join(directory, 'small'), Buffer.alloc(MIB, 1));
  await sleep(200);
  growth.stop();
  await writeFile(join(directory, 'large'), Buffer.alloc(8 * MIB, 1));
  await sleep(200);
  expect(growth.signal.aborted).toBe(false);
});
