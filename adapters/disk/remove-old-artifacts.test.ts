import { lutimes, mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { artifactKeys, fileMeta } from '#core/build/artifact-keys.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { dig } from '#runner/files/testing/dig.ts';
import { freshBinDir, freshHash } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { diskArtifactStore } from './artifact-store.ts';
import { type InUse, removeOldArtifacts } from './remove-old-artifacts.ts';

const LIMIT = new Date(Date.now() - 14 * 86_400_000);
const OLD = new Date(LIMIT.getTime() - 1_000);
const NEW = new Date(LIMIT.getTime() + 1_000);

/** Removes old artefacts. A reported error fails the test, unless the test passes its own `onError`. */
const removeOld = (directory: string, olderThan: Date, inUse?: InUse, onError: (error: unknown) => void = rethrow) =>
  removeOldArtifacts(directory, olderThan, inUse, onError);
const rethrow = (error: unknown) => {
  throw error;
};

let base: string;
let root: string;
beforeEach(async () => {
  base = await temporaryDirectory();
  root = join(base, 'public');
  diskArtifactStore(root);
});

/** Writes files by key, each with its date. */
async function write(files: Record<string, Date>, below = root) {
  for (const [key, date] of Object.entries(files)) {
    await mkdir(dirname(join(below, key)), { recursive: true });
    await writeFile(join(below, key), key);
    await utimes(join(below, key), date, date);
  }
}

const present = async (below = root) =>
  (await readdir(below, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(below.length + 1))
    .sort();

describe('removing old artefacts', () => {
  it('removes the others when one cannot be removed', async () => {
    const gone = freshBinDir();
    // Sorts before the other, and has a path that is longer than any system call accepts.
    const stuck = `${'0'.repeat(63)}1`;
    await mkdir(join(root, 'store', stuck), { recursive: true });
    await dig(join(root, 'store', stuck), 600);
    await write({ [`store/${gone}/a.bin`]: OLD });
    const errors: unknown[] = [];
    expect(await removeOld(root, LIMIT, undefined, (error) => errors.push(error))).toBe(1);
    expect(errors).toHaveLength(1);
    expect(await readdir(join(root, 'store'))).toEqual([]);
    await removeTree(join(root, '~incoming'));
  });

  it('removes the whole of each attempt and result whose newest file is older, and no others', async () => {
    const [gone, logOnly, younger, logYounger] = [freshBinDir(), freshBinDir(), freshBinDir(), freshBinDir()];
    const [goneResult, youngResult] = [freshHash(), freshHash()];
    await write({
      [`store/${gone}/a.bin`]: OLD,
      [`store/${gone}/deep/b.bin`]: OLD,
      [artifactKeys.failure(gone)]: OLD,
      [artifactKeys.log(logOnly)]: OLD,
      [artifactKeys.result(goneResult)]: OLD,
    });
    const kept = {
      [`store/${younger}/a.bin`]: OLD,
      [`store/${younger}/b.bin`]: NEW,
      [`store/${logYounger}/a.bin`]: OLD,
      [artifactKeys.log(logYounger)]: NEW,
      [artifactKeys.result(youngResult)]: NEW,
    };
    await write(kept);
    expect(await removeOld(root, LIMIT)).toBe(3);
    expect(await present()).toEqual(Object.keys(kept).sort());
    expect((await readdir(join(root, 'store'))).sort()).toEqual([younger, logYounger].sort());
    expect(await removeOld(root, LIMIT)).toBe(0);
  });

  it('leaves what is in use', async () => {
    const [binDir, hash] = [freshBinDir(), freshHash()];
    const files = { [artifactKeys.file(binDir, 'a.bin')]: OLD, [artifactKeys.log(binDir)]: OLD, [artifactKeys.result(hash)]: OLD };
    await write(files);
    const inUse = { attempt: async (name: string) => name === binDir, result: async (name: string) => name === hash };
    expect(await removeOld(root, LIMIT, inUse)).toBe(0);
    expect(await present()).toEqual(Object.keys(files).sort());
  });

  it('removes nothing that this server would name differently, and follows no link', async () => {
    const outside = join(base, 'outside');
    const [binDir, linked, hash] = [freshBinDir(), freshBinDir(), freshHash()];
    await write({ [`${binDir}/a.bin`]: OLD, result: OLD }, outside);
    const foreign = {
      'store/short/a.bin': OLD,
      [`store/${binDir.toUpperCase()}x/a.bin`]: OLD,
      [`other/${binDir}/a.bin`]: OLD,
      'store/index.html': OLD,
      'json/v1/overview.json': OLD,
      'api/v1/build/short': OLD,
      [`api/v2/build/${hash}`]: OLD,
      '~meta/something': OLD,
    };
    await write(foreign);
    await symlink(join(outside, binDir), join(root, `store/${linked}`));
    await symlink(join(outside, 'result'), join(root, `api/v1/build/${hash}`));
    for (const link of [`store/${linked}`, `api/v1/build/${hash}`]) await lutimes(join(root, link), OLD, OLD);
    const before = await present();
    expect(await removeOld(root, LIMIT)).toBe(0);
    expect(await present()).toEqual(before);

    await rm(join(root, 'store'), { recursive: true });
    await symlink(outside, join(root, 'store'));
    expect(await removeOld(root, LIMIT)).toBe(0);
    expect(await present(outside)).toEqual([`${binDir}/a.bin`, 'result'].sort());
  });

  it('removes nothing from a new store, nor from a store that is being written', async () => {
    expect(await removeOld(root, LIMIT)).toBe(0);
    const key = artifactKeys.file(freshBinDir(), 'a.bin');
    await diskArtifactStore(root).put(key, 'x', fileMeta('a.bin'));
    await mkdir(join(root, 'store', freshBinDir()));
    expect(await removeOld(root, LIMIT)).toBe(0);
    expect(await present()).toEqual([key]);
    expect(await readdir(join(root, 'store'))).toHaveLength(2);
  });
});
