import { symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installedPackages } from '#runner/imagebuilder/output/installed-packages.ts';
import { checkTree } from './check-tree.ts';
import { withDirectory } from './directory.ts';
import { entriesInside } from './entries.ts';
import { MAX_ENTRIES, readEntries, readRawEntries, TooManyEntriesError } from './read-entries.ts';
import { relink } from './relink.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'asu-entries-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const never = new AbortController().signal;

async function fill(path: string, count: number): Promise<void> {
  await mkdir(path, { recursive: true });
  for (let at = 0; at < count; at++) symlinkSync('nowhere', join(path, `file-${at}`));
}

describe('a directory with more entries than the limit', () => {
  it('is refused, and one with as many as the limit is read', async () => {
    await fill(join(directory, 'd'), 1000);
    await withDirectory(directory, 'd', async (held) => {
      expect(await readEntries(held, 1000)).toHaveLength(1000);
      expect(await readRawEntries(held, 1000)).toHaveLength(1000);
      await expect(readEntries(held, 999)).rejects.toThrow(TooManyEntriesError);
      await expect(readRawEntries(held, 999)).rejects.toThrow('more than 999 entries');
    });
    await expect(entriesInside(directory, 'd', 999)).rejects.toThrow(TooManyEntriesError);
    expect(await entriesInside(directory, 'd/file-0', 999)).toEqual([]);
  });

  it('makes a tree invalid as an ImageBuilder, however the files are spread', async () => {
    for (const name of ['a', 'b', 'c']) await fill(join(directory, name), 4);
    await checkTree(directory, never, 15);
    await expect(checkTree(directory, never, 14)).rejects.toThrow('more than 14 files in the tree');
    await expect(checkTree(directory, AbortSignal.abort(new Error('too long')), 15)).rejects.toThrow('too long');
  });

  it('has no package database', async () => {
    const database = join(directory, 'build_dir/target-x86/root-x86/usr/lib/opkg');
    await mkdir(database, { recursive: true });
    await writeFile(join(database, 'status'), 'Package: vim\nVersion: 1\nStatus: install user installed\n\n');
    expect(await installedPackages(directory, 'opkg')).toHaveLength(1);
    await fill(join(directory, 'build_dir'), 10_001);
    expect(await installedPackages(directory, 'opkg')).toEqual([]);
  });

  it('has none of its links changed', { timeout: 120_000 }, async () => {
    await fill(join(directory, 'bin'), MAX_ENTRIES + 1);
    await expect(relink(directory, 'bin', () => 'elsewhere')).rejects.toThrow(`more than ${MAX_ENTRIES} entries`);
  });
});
