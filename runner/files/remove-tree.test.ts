import { execFile } from 'node:child_process';
import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { removeTree } from './remove-tree.ts';
import { dig } from './testing/dig.ts';

let directory: string;
let tree: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  tree = join(directory, 'tree');
  await mkdir(tree);
});

const openFiles = async () => (await readdir('/proc/self/fd')).length;

describe('removeTree', () => {
  it('removes a tree of any depth, with few files open', async () => {
    await dig(tree, 1000);
    const before = await openFiles();
    await removeTree(tree);
    expect(await readdir(directory)).toEqual([]);
    expect(await openFiles()).toBe(before);
  });

  it('follows no link, so the targets stay', async () => {
    const outside = join(directory, 'outside');
    await mkdir(join(outside, 'kept'), { recursive: true });
    await writeFile(join(outside, 'kept', 'file'), 'kept');
    await symlink(outside, join(tree, 'directory'));
    await symlink(join(outside, 'kept', 'file'), join(tree, 'file'));
    await link(join(outside, 'kept', 'file'), join(tree, 'hard'));
    await removeTree(tree);
    expect(await readdir(directory)).toEqual(['outside']);
    expect(await readFile(join(outside, 'kept', 'file'), 'utf8')).toBe('kept');
  });

  it('removes only the link when the tree itself is a link', async () => {
    await writeFile(join(tree, 'file'), '');
    await symlink(tree, join(directory, 'link'));
    await removeTree(join(directory, 'link'));
    expect(await readdir(directory)).toEqual(['tree']);
    expect(await readdir(tree)).toEqual(['file']);
  });

  it('removes everything a script can make: closed directories, pipes, sockets, names that are not text', async () => {
    for (const name of ['wide/a/b', 'closed/below', '.hidden', 'with\nnewline', '-rf']) await mkdir(join(tree, name), { recursive: true });
    for (let at = 0; at < 200; at++) await writeFile(join(tree, 'wide', `file-${at}`), '');
    await promisify(execFile)('mkfifo', [join(tree, 'pipe')]);
    await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x80])]), '');
    await mkdir(Buffer.concat([Buffer.from(`${tree}/wide/`), Buffer.from([0xc3, 0x28])]));
    await chmod(join(tree, 'closed', 'below'), 0o000);
    await chmod(join(tree, 'closed'), 0o000);
    await chmod(tree, 0o000);
    await removeTree(tree);
    expect(await readdir(directory)).toEqual([]);
  });

  it('removes a file, and ignores a missing one', async () => {
    await writeFile(join(directory, 'file'), '');
    await removeTree(join(directory, 'file'));
    await removeTree(join(directory, 'file'));
    await removeTree(join(directory, 'absent', 'too'));
    expect(await readdir(directory)).toEqual(['tree']);
  });

  it('stops when its signal aborts', async () => {
    await writeFile(join(tree, 'file'), '');
    await expect(removeTree(tree, AbortSignal.abort(new Error('told to')))).rejects.toThrow('told to');
    expect((await stat(join(tree, 'file'))).isFile()).toBe(true);
  });
});
