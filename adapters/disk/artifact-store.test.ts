import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { artifactKeys, fileMeta, recordMeta, resultMeta } from '#core/build/artifact-keys.ts';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { dig } from '#runner/files/testing/dig.ts';
import { artifactStoreContract } from '#test/contracts/artifact-store.ts';
import { freshBinDir, freshHash } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { diskArtifactStore } from './artifact-store.ts';

const META: ArtifactMeta = { contentType: 'application/octet-stream', cacheControl: 'no-cache' };

let base: string;
beforeAll(async () => {
  base = await temporaryDirectory();
});

artifactStoreContract('disk', () => diskArtifactStore(join(base, 'contract')));

describe('an artefact store on disk', () => {
  let directory: string;
  let store: ArtifactStore;
  beforeEach(async () => {
    directory = await mkdtemp(join(base, 'store-'));
    store = diskArtifactStore(directory);
  });

  const litter = () => readdir(join(directory, '~incoming'));
  const metaFiles = () => readdir(join(directory, '~meta'));

  /** Returns the files below the store that this process has open. */
  const openFiles = async () => {
    const names = await readdir('/proc/self/fd');
    const targets = await Promise.all(names.map((name) => readlink(join('/proc/self/fd', name)).catch(() => '')));
    return targets.filter((target) => target.startsWith(directory));
  };

  it('holds the bytes of an object and nothing else', async () => {
    await store.put('store/a', 'the bytes', META);
    expect(await readFile(join(directory, 'store/a'), 'utf8')).toBe('the bytes');
    expect(await litter()).toEqual([]);
  });

  it('has everything after a restart', async () => {
    await store.put('store/a', 'kept', { ...META, filename: 'a.bin' });
    const again = diskArtifactStore(directory);
    expect(await again.read('store/a')).toBe('kept');
    expect(await again.stat('store/a')).toEqual(await store.stat('store/a'));
  });

  it('keeps a private object private after a restart, until it is removed', async () => {
    const binDir = freshBinDir();
    const [image, other] = [artifactKeys.file(binDir, 'a.bin'), artifactKeys.file(freshBinDir(), 'a.bin')];
    await store.put(image, 'secret', fileMeta('a.bin', true));
    await store.put(other, 'open', fileMeta('a.bin'));
    const again = diskArtifactStore(directory);
    expect((await again.stat(image))?.meta.cacheControl).toBe('private, no-store');
    expect((await again.stat(other))?.meta.cacheControl).toContain('immutable');
    expect(await again.remove(artifactKeys.files(binDir))).toBe(1);
    for (const name of await metaFiles()) expect(await again.stat(`~meta/${name}`)).toBeUndefined();
  });

  it('stores no meta that follows from the key', async () => {
    const binDir = freshBinDir();
    const objects: [string, ArtifactMeta][] = [
      [artifactKeys.file(binDir, 'a.bin'), fileMeta('a.bin')],
      [artifactKeys.success(binDir), recordMeta('application/json')],
      [artifactKeys.log(binDir), recordMeta('text/plain; charset=utf-8')],
      [artifactKeys.result(freshHash()), resultMeta(false)],
    ];
    for (const [key, meta] of objects) await store.put(key, 'x', meta);
    expect(await metaFiles()).toEqual([]);
    for (const [key, meta] of objects) expect((await store.stat(key))?.meta).toEqual(meta);

    const hash = freshHash();
    await store.put(artifactKeys.result(hash), 'x', resultMeta(true));
    expect(await metaFiles()).toHaveLength(1);
    expect((await store.stat(artifactKeys.result(hash)))?.meta).toEqual(resultMeta(true));
  });

  it('gives each write a new etag, even if it writes the same bytes within one tick of the clock', async () => {
    const etags = new Set<string | undefined>();
    for (let i = 0; i < 60; i += 1) {
      await store.put('store/a', 'same', fileMeta('a'));
      etags.add((await store.stat('store/a'))?.etag);
      if (i % 2) await store.remove('store/a');
    }
    expect(etags.size).toBe(60);
  });

  it('serves files that another program put there, for download', async () => {
    await mkdir(join(directory, 'store/other'), { recursive: true });
    await writeFile(join(directory, 'store/other/image.bin'), 'copied');
    await writeFile(join(directory, 'store/other/empty'), '');
    expect(await store.read('store/other/image.bin')).toBe('copied');
    expect(await store.stat('store/other/image.bin')).toMatchObject({ size: 6, meta: fileMeta('image.bin') });
    expect(await store.stat('store/other/empty')).toMatchObject({ size: 0 });
  });

  it('serves an object by its key when its meta is gone or broken, or its file was touched', async () => {
    const key = 'store/a';
    for (const harm of [
      async () => rm(join(directory, '~meta', (await metaFiles())[0] as string)),
      async () => writeFile(join(directory, '~meta', (await metaFiles())[0] as string), '{"key"'),
      async () => utimes(join(directory, key), new Date(), new Date(0)),
    ]) {
      await rm(join(directory, '~meta'), { recursive: true });
      await mkdir(join(directory, '~meta'));
      await store.put(key, 'x', META);
      expect((await store.stat(key))?.meta).toEqual(META);
      await harm();
      expect((await store.stat(key))?.meta).toEqual(fileMeta('a'));
      expect(await store.read(key)).toBe('x');
    }
  });

  it('keeps the meta of existing objects, and deletes all other meta after an hour', async () => {
    await store.put('store/living', 'x', META);
    await store.put('store/replaced', 'x', META);
    await store.put('store/replaced', 'y', META);
    await store.put('store/removed', 'x', META);
    await store.remove('store/removed');
    expect(await metaFiles()).toHaveLength(4);
    const old = new Date(Date.now() - 7_200_000);
    await writeFile(join(directory, '~meta/cut-short'), '{');
    for (const name of await metaFiles()) await utimes(join(directory, '~meta', name), old, old);
    const later = diskArtifactStore(directory);
    await later.put('store/a', 'x', fileMeta('a'));
    expect(await metaFiles()).toHaveLength(2);
    for (const key of ['store/living', 'store/replaced']) expect((await later.stat(key))?.meta).toEqual(META);
  });

  it('works in a directory that is reached through a link', async () => {
    const link = join(base, 'link-to-store');
    await symlink(directory, link);
    const linked = diskArtifactStore(link);
    await linked.put('store/a', 'x', META);
    expect(await store.read('store/a')).toBe('x');
  });

  it('follows no link below itself, neither at the end of a key nor on the way', async () => {
    const outside = await mkdtemp(join(base, 'outside-'));
    const other = diskArtifactStore(outside);
    await other.put('secret', 'secret', META);
    await mkdir(join(directory, 'store'));
    await symlink(join(outside, 'secret'), join(directory, 'store/file'));
    await symlink(outside, join(directory, 'store/directory'));
    for (const key of ['store/file', 'store/directory', 'store/directory/secret']) {
      expect(await store.read(key)).toBeUndefined();
      expect(await store.open(key)).toBeUndefined();
      expect(await store.stat(key)).toBeUndefined();
      expect(await store.remove(key)).toBe(0);
    }
    expect(await store.remove('store/directory/')).toBe(0);
    await expect(store.put('store/directory/secret', 'overwritten', META)).rejects.toThrow(/symbolic link/);
    expect(await other.read('secret')).toBe('secret');
    expect(await store.remove('store/')).toBe(0);
    expect(await other.read('secret')).toBe('secret');
  });

  it('refuses links and devices as the source of an object', async () => {
    const file = join(base, 'plain-file');
    const link = join(base, 'link-to-file');
    await writeFile(file, 'x');
    await symlink(file, link);
    await expect(store.putFile('store/a', link, META)).rejects.toThrow(/ELOOP/);
    await expect(store.putFile('store/a', '/dev/zero', META)).rejects.toThrow(/regular file/);
    expect(await store.stat('store/a')).toBeUndefined();
    expect(await litter()).toEqual([]);
  });

  it('closes every file that it opened, whether the body was read to its end, cancelled, or never read', async () => {
    const file = join(base, 'large-file');
    await writeFile(file, Buffer.alloc(2_000_000, 7));
    await store.putFile('store/large', file, META);
    await store.put('store/small', 'small', META);
    for (const key of ['store/large', 'store/small']) {
      await new Response((await store.open(key))?.body).arrayBuffer();
      await (await store.open(key))?.body.cancel();
      const reader = (await store.open(key))?.body.getReader();
      const reading = reader?.read();
      await reader?.cancel();
      await reading;
      await store.stat(key);
      await store.read(key);
      await expect(store.open(key, { start: 0, end: 9_000_000 })).rejects.toThrow(RangeError);
    }
    expect(await openFiles()).toEqual([]);
  });

  it.each([
    [0, 4],
    [2, 1],
    [-1, 2],
    [4, 4],
    [0.5, 2],
  ])('refuses bytes %d to %d of an object of four', async (start, end) => {
    await store.put('store/a', 'four', META);
    await expect(store.open('store/a', { start, end })).rejects.toThrow(RangeError);
  });

  it('deletes what killed processes left, at its first write, but no file that is being written', async () => {
    const old = new Date(Date.now() - 7_200_000);
    const incoming = join(directory, '~incoming');
    await writeFile(join(incoming, 'left'), 'x');
    await mkdir(join(incoming, 'condemned/deep'), { recursive: true });
    await writeFile(join(incoming, 'fresh'), 'x');
    for (const name of ['left', 'condemned']) await utimes(join(incoming, name), old, old);
    await store.put('store/a', 'x', META);
    expect(await litter()).toEqual(['fresh']);
  });

  it('writes an object even when a leftover of a killed process cannot be deleted', async () => {
    const old = new Date(Date.now() - 7_200_000);
    const stuck = join(directory, '~incoming/condemned');
    await mkdir(stuck);
    await dig(stuck, 600);
    await utimes(stuck, old, old);
    await store.put('store/a', 'x', META);
    expect(await store.read('store/a')).toBe('x');
    await removeTree(stuck);
  });

  it('leaves neither an object nor a temporary file when the disk is full, reports it, and works again afterwards', async () => {
    // A limit on file size, in a process of its own, stands for the full disk: the kernel refuses a write half-way.
    const file = join(base, 'too-large-file');
    await writeFile(file, Buffer.alloc(5_000_000, 7));
    await store.put('store/old', 'old', META);
    const script = `
      import { diskArtifactStore } from ${JSON.stringify(new URL('./artifact-store.ts', import.meta.url).href)};
      const [directory, file] = process.argv.slice(1);
      const store = diskArtifactStore(directory);
      const meta = { contentType: 'a/b', cacheControl: 'c' };
      const codes = [];
      for (const put of [() => store.putFile('store/new', file, meta), () => store.putFile('store/old', file, meta),
        () => store.put('store/new', 'x'.repeat(5_000_000), meta), () => store.put('store/small', 'fits', meta)])
        codes.push(await put().then(() => 'written', (error) => error.code));
      console.log(JSON.stringify(codes));`;
    const { stdout } = await promisify(execFile)('/bin/sh', [
      '-c',
      'trap "" XFSZ; ulimit -f 2048; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module-typescript',
      '--eval',
      script,
      directory,
      file,
    ]);
    expect(JSON.parse(stdout)).toEqual(['EFBIG', 'EFBIG', 'EFBIG', 'written']);
    expect(await store.stat('store/new')).toBeUndefined();
    expect(await store.read('store/old')).toBe('old');
    expect(await store.read('store/small')).toBe('fits');
    expect(await litter()).toEqual([]);
    expect(await metaFiles()).toHaveLength(2);
    await store.putFile('store/new', file, META);
    expect(await store.stat('store/new')).toMatchObject({ size: 5_000_000 });
  });

  it('counts every object once when processes put and remove below one prefix at the same time', async () => {
    const removed: number[] = [];
    const write = async (n: number) => {
      for (let i = 0; i < 20; i += 1) await store.put(`store/busy/${n}-${i}`, 'x', META);
    };
    const remove = async () => {
      for (let i = 0; i < 20; i += 1) removed.push(await store.remove('store/busy/'));
    };
    await Promise.all([write(0), write(1), remove(), remove()]);
    removed.push(await store.remove('store/busy/'));
    expect(removed.reduce((sum, count) => sum + count)).toBe(40);
    expect(await litter()).toEqual([]);
  });

  it('lets other users who can enter the directory read the images, and nothing else', async () => {
    const fresh = join(directory, 'new/store');
    const closed = diskArtifactStore(fresh);
    const [hash, binDir] = [freshHash(), freshBinDir()];
    for (const key of [artifactKeys.file(binDir, 'a'), artifactKeys.result(hash), artifactKeys.log(binDir)])
      await closed.put(key, 'x', META);
    const modeOf = async (path: string) => ((await stat(join(fresh, path))).mode & 0o777).toString(8);
    const umask = process.umask();
    const opened = (mode: number) => (mode & ~umask).toString(8);
    for (const path of ['store', `store/${binDir}`]) expect(await modeOf(path)).toBe(opened(0o755));
    expect(await modeOf(artifactKeys.file(binDir, 'a'))).toBe(opened(0o644));
    for (const path of ['', 'api', 'api/v1/build', 'logs', `logs/${binDir}`, '~incoming', '~meta']) expect(await modeOf(path)).toBe('700');
    for (const path of [artifactKeys.result(hash), artifactKeys.log(binDir)]) expect(await modeOf(path)).toBe('600');
  });
});
