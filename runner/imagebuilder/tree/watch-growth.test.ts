import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { watchGrowth } from './watch-growth.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const MIB = 1024 * 1024;

it('what takes more of the disk than it may is ended as the request’s fault', async () => {
  const growth = watchGrowth(directory, MIB, { lookEveryMs: 10 });
  await writeFile(join(directory, 'large'), Buffer.alloc(2 * MIB, 1));
  await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
  growth.stop();
  expect(growth.signal.reason).toBeInstanceOf(BuildFailure);
  expect(String(growth.signal.reason)).toContain('more than 1 MB of disk');
});

it('what takes less goes on, and nothing is watched that is over', async () => {
  const growth = watchGrowth(directory, 4 * MIB, { lookEveryMs: 5 });
  await writeFile(join(directory, 'small'), Buffer.alloc(MIB, 1));
  await sleep(200);
  growth.stop();
  await writeFile(join(directory, 'large'), Buffer.alloc(8 * MIB, 1));
  await sleep(200);
  expect(growth.signal.aborted).toBe(false);
});

it('a build of which nobody can find out what it takes is ended, and not as the request’s fault', async () => {
  const growth = watchGrowth(directory, MIB, { lookEveryMs: 5, sumTimeoutMs: 1 });
  await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
  growth.stop();
  expect(growth.signal.reason).toBeInstanceOf(InfrastructureFailure);
  expect(String(growth.signal.reason)).toContain('cannot be found out');
});

it('one look that fails is made good by the next', async () => {
  let looks = 0;
  const outside = async () => {
    looks += 1;
    if (looks % 2 === 1) throw new Error('not now');
    return [];
  };
  const growth = watchGrowth(directory, MIB, { lookEveryMs: 5, outside });
  await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(5);
  growth.stop();
  expect(growth.signal.aborted).toBe(false);
});

it('files elsewhere count, and those that processes hold without a name', async () => {
  const elsewhere = await temporaryDirectory();
  await writeFile(join(elsewhere, 'large'), Buffer.alloc(MIB, 1));
  for (const options of [{ outside: async () => [elsewhere] }, { held: async () => MIB }]) {
    const growth = watchGrowth(directory, MIB, { lookEveryMs: 5, ...options });
    await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
    growth.stop();
    expect(growth.signal.reason).toBeInstanceOf(BuildFailure);
  }
});
