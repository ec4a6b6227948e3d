import { execFile } from 'node:child_process';
import { link, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '#runner/files/remove-tree.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { packageCache } from './package-cache.ts';

let directory: string;
let dl: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  dl = join(directory, 'tree', 'dl');
  await mkdir(join(directory, 'tree'));
  await mkdir(join(directory, 'cache'));
});

const cacheOf = (maxBytes = 1000) => packageCache(join(directory, 'cache'), maxBytes, { remove: removeTree });

describe('packageCache', () => {
  it('gives the packages to the next build of the same inputs, in any order of the indexes, and nothing to others', async () => {
    const cache = cacheOf();
    await cache.put('inputs', 'vim_1.ipk', Buffer.from('vim'));
    await cache.put('inputs', 'vim-1.0123abcd.apk', Buffer.from('vim'));
    await cache.put('inputs', 'openwrt_base', Buffer.from('index'));
    expect(await cache.seed('inputs', dl, undefined)).toBe(2);
    expect((await readdir(dl)).sort()).toEqual(['vim-1.0123abcd.apk', 'vim_1.ipk']);
    expect((await cache.read('inputs', 'openwrt_base'))?.toString()).toBe('index');
    expect(await cache.read('others', 'openwrt_base')).toBeUndefined();
    expect(await cache.seed('others', dl, undefined)).toBe(0);
  });

  it('gives copies to builds with our own uid, so that changes of a build do not reach the cache', async () => {
    const cache = cacheOf();
    await cache.put('inputs', 'vim_1.ipk', Buffer.from('vim'));
    await cache.seed('inputs', dl, undefined);
    await writeFile(join(dl, 'vim_1.ipk'), 'changed');
    await cache.seed('inputs', dl, undefined);
    expect((await cache.read('inputs', 'vim_1.ipk'))?.toString()).toBe('vim');
    expect(await readFile(join(dl, 'vim_1.ipk'), 'utf8')).toBe('changed');
  });

  it('reads a package even when a build has a second name of it, but no link', async () => {
    const cache = cacheOf();
    await cache.put('inputs', 'vim_1.ipk', Buffer.from('vim'));
    await link(join(directory, 'cache', 'inputs', 'vim_1.ipk'), join(directory, 'second.ipk'));
    await symlink(join(directory, 'second.ipk'), join(directory, 'cache', 'inputs', 'link.ipk'));
    expect((await cache.read('inputs', 'vim_1.ipk'))?.toString()).toBe('vim');
    expect(await cache.read('inputs', 'link.ipk')).toBeUndefined();
  });

  it('forgets a key, and drops the least recently used ones beyond its limit', async () => {
    const cache = cacheOf(25);
    for (const [at, key] of ['a', 'b', 'c'].entries()) {
      await cache.put(key, 'ten.ipk', Buffer.from('0123456789'));
      await utimes(join(directory, 'cache', key), at, at);
    }
    await cache.seed('a', dl, undefined);
    await cache.makeRoom();
    expect((await readdir(join(directory, 'cache'))).sort()).toEqual(['a', 'c']);
    await cache.forget('a');
    await expect(stat(join(directory, 'cache', 'a'))).rejects.toThrow('ENOENT');
  });

  it('keeps the most recently used key while builds run, and not even that beyond its limit when the machine is idle', async () => {
    const cache = cacheOf(15);
    await cache.put('old', 'ten.ipk', Buffer.from('0123456789'));
    await utimes(join(directory, 'cache', 'old'), 1, 1);
    await cache.put('new', 'twenty.ipk', Buffer.from('01234567890123456789'));
    expect(await cache.bytes()).toBe(30);
    await cache.makeRoom();
    expect(await readdir(join(directory, 'cache'))).toEqual(['new']);
    expect(await cache.bytes()).toBe(20);
    await cache.makeRoom({ idle: true });
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
    expect(await cache.bytes()).toBe(0);
  });

  it('knows what an earlier process left, and drops it when the limit is lower', async () => {
    await cacheOf().put('inputs', 'ten.ipk', Buffer.from('0123456789'));
    const restarted = cacheOf(5);
    expect(await restarted.bytes()).toBe(10);
    await restarted.makeRoom({ idle: true });
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
  });

  it('needs few descriptors, however many files it keeps', async () => {
    const files = join(directory, 'cache', 'many');
    await mkdir(files);
    await Promise.all(Array.from({ length: 500 }, (_, at) => writeFile(join(files, `${at}.ipk`), '0123456789')));
    await cacheOf().put('newer', 'one.ipk', Buffer.from('one'));
    await utimes(files, 1, 1);
    const script = `
      import { packageCache } from '#runner/imagebuilder/cache/package-cache.ts';
      import { removeTree } from '#runner/files/remove-tree.ts';
      const [cacheDirectory, dl] = process.argv.slice(1);
      const cache = packageCache(cacheDirectory, 100, { remove: removeTree });
      console.log(await cache.seed('many', dl, undefined));
      await cache.seed('newer', dl, undefined);
      await cache.makeRoom();`;
    // A shell bounds what only a process of its own can have: its descriptors.
    const argv = ['-c', 'ulimit -n 150; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)('sh', [...argv, join(directory, 'cache'), dl]);
    expect(stdout.trim()).toBe('500');
    expect(await readdir(join(directory, 'cache'))).toEqual(['newer']);
  });

  it('seeds nothing, and fails no build, where the key is evicted meanwhile', async () => {
    const cache = cacheOf();
    for (let round = 0; round < 60; round++) {
      await cache.put('inputs', 'vim_1.ipk', Buffer.from('vim'));
      const forgotten = async () => {
        for (let turn = 0; turn < round % 12; turn++) await new Promise((resolve) => setImmediate(resolve));
        await cache.forget('inputs');
      };
      const [seeded] = await Promise.all([cache.seed('inputs', dl, undefined), forgotten()]);
      expect(seeded).toBeLessThanOrEqual(1);
    }
  });
});
