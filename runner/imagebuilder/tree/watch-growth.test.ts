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

it('ends a build that takes more of the disk than it may, and blames the request', async () => {
  const growth = watchGrowth(directory, MIB, { lookEveryMs: 10 });
  await writeFile(join(directory, 'large'), Buffer.alloc(2 * MIB, 1));
  await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
  growth.stop();
  expect(growth.signal.reason).toBeInstanceOf(BuildFailure);
  expect(String(growth.signal.reason)).toContain('more than 1 MB of disk');
});

it('leaves a build running that takes less, and stops watching when it is over', async () => {
  const growth = watchGrowth(directory, 4 * MIB, { lookEveryMs: 5 });
  await writeFile(join(directory, 'small'), Buffer.alloc(MIB, 1));
  await sleep(200);
  growth.stop();
  await writeFile(join(directory, 'large'), Buffer.alloc(8 * MIB, 1));
  await sleep(200);
  expect(growth.signal.aborted).toBe(false);
});

it('ends a build whose disk usage cannot be measured, and does not blame the request', async () => {
  const growth = watchGrowth(directory, MIB, { lookEveryMs: 5, sumTimeoutMs: 1 });
  await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
  growth.stop();
  expect(growth.signal.reason).toBeInstanceOf(InfrastructureFailure);
  expect(String(growth.signal.reason)).toContain('cannot be found out');
});

it('ignores one failed measurement when the next one succeeds', async () => {
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

it('counts files elsewhere, and files without a name that processes have open', async () => {
  const elsewhere = await temporaryDirectory();
  // On some file systems a directory itself takes no space.
  await writeFile(join(elsewhere, 'large'), Buffer.alloc(2 * MIB, 1));
  for (const options of [{ outside: async () => [elsewhere] }, { held: async () => 2 * MIB }]) {
    const growth = watchGrowth(directory, MIB, { lookEveryMs: 5, ...options });
    await expect.poll(() => growth.signal.aborted, { timeout: 30_000 }).toBe(true);
    growth.stop();
    expect(growth.signal.reason).toBeInstanceOf(BuildFailure);
  }
});
