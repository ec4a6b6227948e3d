import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { freshBinDir } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { artifactKeys, fileMeta } from './artifact-keys.ts';
import { resultIntegrity } from './result-integrity.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const NAMES = ['a.bin', 'b.bin'];

async function world() {
  let time = 0;
  const artifacts = diskArtifactStore(directory);
  const binDir = freshBinDir();
  for (const name of NAMES) await artifacts.put(artifactKeys.file(binDir, name), 'four', fileMeta(name));
  const document = JSON.stringify({ files: NAMES.map((name) => ({ name, size: 4 })) });
  const ask = resultIntegrity({ artifacts, monotonic: () => time });
  return {
    isWhole: () => ask(binDir, document),
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    path: (name: string) => join(directory, artifactKeys.file(binDir, name)),
  };
}

it.each([
  ['deleted', (path: string) => rm(path)],
  ['cut short', (path: string) => truncate(path, 3)],
])('a result is not complete when any of its files is %s', async (_, harm) => {
  for (const name of NAMES) {
    const { isWhole, path } = await world();
    await harm(path(name));
    expect(await isWhole()).toBe(false);
    expect(await isWhole()).toBe(false);
  }
});

it('a complete result is checked again a minute later', async () => {
  const { isWhole, pass, path } = await world();
  expect(await isWhole()).toBe(true);
  await rm(path('b.bin'));
  pass(59_999);
  expect(await isWhole()).toBe(true);
  pass(1);
  expect(await isWhole()).toBe(false);
});
