import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { extractTarball } from './extract-tarball.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await mkdir(join(directory, 'tree'));
});

const never = new AbortController().signal;
type Entry = Partial<Header> & { name: string; content?: string };

/** Writes a tarball without tar, because tar would refuse half of these. */
async function tarball(entries: readonly Entry[], compression: 'zst' | 'xz' = 'zst'): Promise<string> {
  const packed = pack();
  for (const { content = '', ...header } of entries) packed.entry({ mtime: new Date(1e12), ...header }, content);
  packed.finalize();
  const tar = join(directory, 'it.tar');
  await pipeline(packed as unknown as NodeJS.ReadableStream, createWriteStream(tar));
  if (compression === 'xz') {
    await promisify(execFile)('xz', ['-f', tar]);
    return `${tar}.xz`;
  }
  await writeFile(`${tar}.zst`, zstdCompressSync(await readFile(tar)));
  return `${tar}.zst`;
}

const extracted = async (entries: readonly Entry[], compression?: 'zst' | 'xz') => {
  const bytes = await extractTarball(await tarball(entries, compression), join(directory, 'tree'), never);
  return { bytes, at: (path: string) => join(directory, 'tree', path) };
};

const ordinary: Entry[] = [
  { name: 'openwrt-imagebuilder-x/', type: 'directory', mode: 0o755 },
  { name: 'openwrt-imagebuilder-x/Makefile', content: 'all:\n', mode: 0o644 },
  { name: 'openwrt-imagebuilder-x/bin/', type: 'directory', mode: 0o555 },
  { name: 'openwrt-imagebuilder-x/bin/tool', content: '#!/bin/sh\n', mode: 0o4755 },
  { name: 'openwrt-imagebuilder-x/bin/alias', type: 'symlink', linkname: '../bin/tool' },
  { name: 'openwrt-imagebuilder-x/bin/python', type: 'symlink', linkname: '/usr/bin/python3' },
  { name: 'openwrt-imagebuilder-x/again', type: 'link', linkname: 'openwrt-imagebuilder-x/Makefile' },
];

describe('extractTarball', () => {
  it.each(['zst', 'xz'] as const)('unpacks .tar.%s without its top directory', async (compression) => {
    const { bytes, at } = await extracted(ordinary, compression);
    expect(bytes).toBe(15);
    expect(await readFile(at('Makefile'), 'utf8')).toBe('all:\n');
    expect(await readFile(at('again'), 'utf8')).toBe('all:\n');
    expect(await readlink(at('bin/alias'))).toBe('../bin/tool');
    expect(await readlink(at('bin/python'))).toBe('/usr/bin/python3');
    expect((await stat(at('Makefile'))).mtime).toEqual(new Date(1e12));
    // The file is not set-uid, and its mode allows its removal.
    expect((await stat(at('bin/tool'))).mode & 0o7777).toBe(0o755);
    expect((await stat(at('bin'))).mode & 0o777).toBe(0o755);
  });

  it.each([
    ['an absolute name', [{ name: '/tmp/asu-escaped', content: 'x' }], 'leads out'],
    ['a name with ..', [{ name: 'x/../../asu-escaped', content: 'x' }], 'leads out'],
    ['a link up and out', [{ name: 'x/a/l', type: 'symlink', linkname: '../../y' }], 'link out'],
    ['an absolute link', [{ name: 'x/l', type: 'symlink', linkname: '/etc/shadow' }], 'link out'],
    ['an absolute link that only begins well', [{ name: 'x/l', type: 'symlink', linkname: '/usr/../etc/shadow' }], 'link out'],
    ['a hard link out', [{ name: 'x/l', type: 'link', linkname: '/etc/passwd' }], 'leads out'],
    [
      'a hard link to a link',
      [
        { name: 'x/l', type: 'symlink', linkname: '/usr/bin/python3' },
        { name: 'x/h', type: 'link', linkname: 'x/l' },
      ],
      'bad hard link',
    ],
    ['a device', [{ name: 'x/null', type: 'character-device', devmajor: 1, devminor: 3 }], 'character-device'],
    ['a pipe', [{ name: 'x/pipe', type: 'fifo' }], 'fifo'],
    [
      'writing through a link',
      [
        { name: 'x/l', type: 'symlink', linkname: '/tmp/' },
        { name: 'x/l/asu-escaped', content: 'x' },
      ],
      'through a link',
    ],
    [
      'a link and then a directory of the same name',
      [
        { name: 'x/l', type: 'symlink', linkname: '/tmp/asu-linked' },
        { name: 'x/l/', type: 'directory', mode: 0o777 },
      ],
      'through a link',
    ],
    [
      'a directory and then a link of the same name',
      [
        { name: 'x/l/', type: 'directory' },
        { name: 'x/l', type: 'symlink', linkname: '/tmp/asu-linked' },
      ],
      'EEXIST',
    ],
    [
      'a file and then a directory of the same name',
      [
        { name: 'x/l', content: 'x' },
        { name: 'x/l/', type: 'directory' },
      ],
      'no directory',
    ],
    [
      'a hard link through a link',
      [
        { name: 'x/l', type: 'symlink', linkname: '/usr/bin/' },
        { name: 'x/h', type: 'link', linkname: 'x/l/env' },
      ],
      'through a link',
    ],
    ['a hard link to a directory', [{ name: 'x/h', type: 'link', linkname: 'openwrt-imagebuilder-x/bin' }], 'bad hard link'],
    ['a hard link to nothing', [{ name: 'x/h', type: 'link', linkname: 'x/nothing' }], 'bad hard link'],
    ['a directory too deep', [{ name: `x/${'d/'.repeat(500)}`, type: 'directory' }], 'too deep'],
    [
      'a file twice',
      [
        { name: 'x/l', type: 'symlink', linkname: '/usr/bin/x' },
        { name: 'x/l', content: 'x' },
      ],
      'EEXIST',
    ],
  ] as [string, Entry[], string][])('refuses %s', async (_, entries, reason) => {
    const failing = extracted([...ordinary, ...entries]);
    await expect(failing).rejects.toThrow(InfrastructureFailure);
    await expect(failing).rejects.toThrow(reason);
    expect((await readdir(tmpdir())).includes('asu-escaped')).toBe(false);
    expect((await readdir(directory)).includes('asu-escaped')).toBe(false);
    await expect(lstat('/tmp/asu-escaped')).rejects.toThrow('ENOENT');
  });

  it.each(['zst', 'xz'] as const)('says that a .tar.%s is cut off', async (compression) => {
    const path = await tarball(ordinary.concat({ name: 'x/big', content: 'random'.repeat(50_000) }), compression);
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, Math.floor(whole.length * 0.6)));
    await expect(extractTarball(path, join(directory, 'tree'), never)).rejects.toThrow(/cannot be unpacked/);
  });

  it('refuses a .tar.xz that takes gigabytes of memory to unpack', async () => {
    const path = await tarball(ordinary, 'xz');
    const bytes = await readFile(path);
    // The header of the first block follows that of the stream. The last byte of its one filter sets the size of the
    // dictionary (LZMA2).
    const header = bytes.subarray(12, 12 + (bytes.readUInt8(12) + 1) * 4);
    expect([header[2], header[3]]).toEqual([0x21, 1]);
    header[4] = 37;
    header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
    await writeFile(path, bytes);
    await expect(extractTarball(path, join(directory, 'tree'), never)).rejects.toThrow(/Memory usage limit/);
  });

  it('shortens names to one line, whatever the tarball has', async () => {
    const name = `/tmp/asu-escaped\n${'x'.repeat(500)}`;
    const failure: unknown = await extracted([...ordinary, { name, content: 'x' }]).catch((error) => error);
    expect(String(failure)).toContain('leads out');
    expect(String(failure).length).toBeLessThan(400);
    expect(String(failure)).not.toContain('\n');
  });

  it('refuses a file that is not a tarball', async () => {
    await writeFile(join(directory, 'page'), '<!DOCTYPE html>');
    await expect(extractTarball(join(directory, 'page'), join(directory, 'tree'), never)).rejects.toThrow('neither .tar.xz nor .tar.zst');
  });

  it('stops when its signal aborts', async () => {
    const path = await tarball(ordinary);
    await expect(extractTarball(path, join(directory, 'tree'), AbortSignal.abort(new Error('told to')))).rejects.toThrow('told to');
  });
});
