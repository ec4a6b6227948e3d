import { chmod, link, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { takeOutput } from './read-output.ts';

let directory: string;
let binDir: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  binDir = join(directory, 'bin');
  await mkdir(binDir);
  await writeFile(join(directory, 'secret'), 'secret');
});

const take = () => takeOutput(binDir, join(directory, 'taken'));

describe('takeOutput', () => {
  it('moves files with expected names out of reach, with size and digest', async () => {
    await writeFile(join(binDir, 'openwrt-x86-64.img.gz'), 'test');
    await chmod(join(binDir, 'openwrt-x86-64.img.gz'), 0o000);
    await writeFile(join(binDir, 'profiles.json'), '{}');
    const { files, ignored } = await take();
    expect(ignored).toEqual([]);
    expect(files.map(({ name, size }) => [name, size])).toEqual([
      ['openwrt-x86-64.img.gz', 4],
      ['profiles.json', 2],
    ]);
    expect(files[0]).toMatchObject({ sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' });
    expect(await readFile(files[0]?.path ?? '', 'utf8')).toBe('test');
    expect(await readdir(binDir)).toEqual([]);
  });

  it('takes no links, directories, or files with unexpected names', async () => {
    await symlink(join(directory, 'secret'), join(binDir, 'openwrt-link.bin'));
    await link(join(directory, 'secret'), join(binDir, 'openwrt-hard.bin'));
    await mkdir(join(binDir, 'openwrt-directory'));
    for (const name of ['.openwrt', 'evil', 'openwrt-a b', 'openwrt-ü', 'profiles.json.bak', 'openwrt-\n'])
      await writeFile(join(binDir, name), '');
    const { files, ignored } = await take();
    expect(files).toEqual([]);
    expect(ignored).toHaveLength(9);
  });

  const limits = { files: 3, bytes: 1_000, readMs: 60_000 };

  it.each([
    ['more files', { a: 1, b: 1, c: 1, d: 1 }, 'The build left more than 3 files'],
    ['one larger file', { a: 1_001 }, 'openwrt-a has 1001 bytes; all files of a build may have 1000'],
    ['larger files', { a: 500, b: 501 }, 'The files that the build left have more than 1000 bytes'],
  ])('refuses %s than a build may leave, holes included, before it hashes any', async (_, sizes, message) => {
    for (const [name, size] of Object.entries(sizes)) {
      await writeFile(join(binDir, `openwrt-${name}`), '');
      await truncate(join(binDir, `openwrt-${name}`), size);
    }
    const refused = takeOutput(binDir, join(directory, 'taken'), { limits });
    await expect(refused).rejects.toThrow(BuildFailure);
    await expect(refused).rejects.toThrow(message);
  });

  it('refuses an invalid profiles.json before it hashes it', async () => {
    await writeFile(join(binDir, 'profiles.json'), '');
    await truncate(join(binDir, 'profiles.json'), 3 * 1024 ** 3);
    await expect(take()).rejects.toThrow('The profiles.json that the build left has 3221225472 bytes');
    expect(await readdir(join(directory, 'taken'))).toEqual([]);
  });

  it('takes as much as a build may leave', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(binDir, `openwrt-${name}`), Buffer.alloc(333));
    expect((await takeOutput(binDir, join(directory, 'taken'), { limits })).files).toHaveLength(3);
  });

  it('stops hashing when its signal aborts', async () => {
    await writeFile(join(binDir, 'openwrt-a'), 'test');
    const stopped = takeOutput(binDir, join(directory, 'taken'), { signal: AbortSignal.abort(new Error('the runner stops')) });
    await expect(stopped).rejects.toThrow('the runner stops');
  });

  it('takes nothing when BIN_DIR is a link or missing', async () => {
    await symlink(directory, join(directory, 'linked'));
    expect(await takeOutput(join(directory, 'linked'), join(directory, 'taken'))).toEqual({ files: [], ignored: ['BIN_DIR itself'] });
    expect(await takeOutput(join(directory, 'none'), join(directory, 'taken'))).toEqual({ files: [], ignored: [] });
  });
});
