import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { compareIndexes } from './compare-indexes.ts';
import { usedIndexes } from './used-indexes.ts';

const directory = await temporaryDirectory();

const UPSTREAM = 'https://downloads.example';
const BASE = 'releases/24.10.2/packages/x86_64/base';
const ADB = 'releases/25.12.0/packages/x86_64/base/packages.adb';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('compareIndexes', () => {
  const used = (source: string, digest: string) => ({ source, sha256: digest });
  const ordered = { [`${BASE}/Packages.gz`]: 'a', [ADB]: 'b', 'releases/luci/Packages.gz': 'c' };

  it('tells apart those that are the same, have moved on, and were never ordered', () => {
    const read = [used(`${BASE}/Packages.gz`, 'a'), used(ADB, 'other'), used('https://client.example/Packages.gz', 'a')];
    expect(compareIndexes(ordered, { used: read, absent: [] })).toEqual({
      moved: [ADB],
      unknown: ['https://client.example/Packages.gz'],
      lacking: [],
    });
  });

  it('tells apart an ordered index that was unavailable and one that never existed', () => {
    const absent = [`${BASE}/Packages.gz`, ADB, 'releases/24.10.2/kmods/Packages.gz'];
    expect(compareIndexes(ordered, { used: [used('x', 'x')], absent }).lacking).toEqual([`${BASE}/Packages.gz`, ADB]);
    expect(compareIndexes(ordered, { used: [], absent }).lacking).toEqual([]);
  });
});

describe('usedIndexes', () => {
  const tree = join(directory, 'tree');
  const own = 'http://client.example/feed';

  it('finds them where opkg and apk put them, and follows no link out', async () => {
    await mkdir(join(tree, 'dl'), { recursive: true });
    await writeFile(join(directory, 'secret'), 'secret');
    await symlink(join(directory, 'secret'), join(tree, 'dl', 'linked'));
    const packed = gzipSync('base');
    await writeFile(join(tree, 'dl', 'openwrt_base'), packed);
    await writeFile(join(tree, 'dl', 'mine'), 'mine');
    const opkg = [
      `src/gz openwrt_base ${UPSTREAM}/${BASE}`,
      `src mine ${own}/`,
      `src/gz linked ${own}/linked`,
      `src/gz ../../secret ${own}/out`,
      `src/gz absent ${own}/absent`,
      'src imagebuilder file:packages',
      'option check_signature',
    ].join('\n');
    expect(await usedIndexes(tree, { text: opkg, packageManager: 'opkg', upstreamUrl: UPSTREAM })).toEqual({
      used: [
        { source: `${BASE}/Packages.gz`, sha256: sha256(packed) },
        { source: `${own}/Packages`, sha256: sha256(Buffer.from('mine')) },
      ],
      absent: [`${own}/linked/Packages.gz`, `${own}/absent/Packages.gz`],
    });

    // This is the name that apk-tools 3.0.5 gave the index of this URL.
    const url = 'http://127.0.0.1:8900/releases/25.12.0/packages/x86_64/base/packages.adb';
    await writeFile(join(tree, 'dl', 'APKINDEX.252a186c.tar.gz'), 'adb');
    const repositories = `# comment\n${url}\n${own}/packages.adb\npackages/packages.adb\n`;
    expect(await usedIndexes(tree, { text: repositories, packageManager: 'apk', upstreamUrl: 'http://127.0.0.1:8900' })).toEqual({
      used: [{ source: ADB, sha256: sha256(Buffer.from('adb')) }],
      absent: [`${own}/packages.adb`],
    });
  });
});
