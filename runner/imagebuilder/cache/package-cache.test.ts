import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '#runner/files/remove-tree.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { packageCache } from './package-cache.ts';

let directory: string;
let dl: string;
let next: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  dl = join(directory, 'dl');
  next = join(directory, 'next');
  await mkdir(dl);
  await mkdir(join(directory, 'cache'));
});

const cacheOf = (maxBytes = 1000) => packageCache(join(directory, 'cache'), maxBytes, { remove: removeTree });

describe('packageCache', () => {
  it('gives the next build of the same inputs what the last one downloaded, and others nothing', async () => {
    await writeFile(join(dl, 'vim_1.ipk'), 'vim');
    await writeFile(join(dl, 'openwrt_base'), 'index');
    const cache = cacheOf();
    await cache.keep('inputs', dl, ['openwrt_base']);
    expect(await cache.seed('inputs', next, undefined)).toBe(2);
    expect(await readFile(join(next, 'vim_1.ipk'), 'utf8')).toBe('vim');
    expect(await readFile(join(next, 'openwrt_base'), 'utf8')).toBe('index');
    expect(await cache.seed('others', join(directory, 'none'), undefined)).toBe(0);
  });

  it('gives copies: what a build does to its own changes nothing', async () => {
    await writeFile(join(dl, 'vim_1.ipk'), 'vim');
    const cache = cacheOf();
    await cache.keep('inputs', dl, ['openwrt_base']);
    await cache.seed('inputs', next, undefined);
    await writeFile(join(next, 'vim_1.ipk'), 'changed');
    await cache.seed('inputs', dl, undefined);
    expect(await readFile(join(directory, 'cache', 'inputs', 'vim_1.ipk'), 'utf8')).toBe('vim');
  });

  it('takes regular files only, and only those that have no other name', async () => {
    await writeFile(join(directory, 'secret'), 'secret');
    await symlink(join(directory, 'secret'), join(dl, 'link.ipk'));
    await link(join(directory, 'secret'), join(dl, 'hard.ipk'));
    await mkdir(join(dl, 'directory.ipk'));
    await writeFile(join(dl, '.hidden'), '');
    await writeFile(join(dl, 'real.ipk'), 'real');
    await cacheOf().keep('inputs', dl, []);
    expect(await readdir(join(directory, 'cache', 'inputs'))).toEqual(['real.ipk']);
  });

  it('does not follow a dl that is a link', async () => {
    await writeFile(join(dl, 'real.ipk'), 'real');
    await symlink(dl, join(directory, 'linked'));
    await cacheOf().keep('inputs', join(directory, 'linked'), []);
    await expect(stat(join(directory, 'cache', 'inputs'))).rejects.toThrow('ENOENT');
  });

  it('keeps a package that it has, and no index but those that the key stands for', async () => {
    const cache = cacheOf();
    await writeFile(join(dl, 'vim_1.ipk'), 'old');
    for (const index of ['openwrt_base', 'openwrt_luci', 'openwrt_luci.sig']) await writeFile(join(dl, index), 'index');
    await cache.keep('inputs', dl, ['openwrt_base', 'absent']);
    await writeFile(join(dl, 'vim_1.ipk'), 'new');
    await cache.keep('inputs', dl, []);
    expect((await readdir(join(directory, 'cache', 'inputs'))).sort()).toEqual(['openwrt_base', 'vim_1.ipk']);
    expect(await readFile(join(directory, 'cache', 'inputs', 'vim_1.ipk'), 'utf8')).toBe('old');
  });

  it('forgets, and drops what was not used for longest beyond its bound', async () => {
    const cache = cacheOf(25);
    await writeFile(join(dl, 'ten.ipk'), '0123456789');
    for (const key of ['a', 'b', 'c']) {
      await cache.keep(key, dl, []);
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (key === 'b') await cache.seed('a', join(directory, 'seeded'), undefined);
    }
    expect((await readdir(join(directory, 'cache'))).sort()).toEqual(['a', 'c']);
    await cache.forget('a');
    expect(await readdir(join(directory, 'cache'))).toEqual(['c']);
  });
});
