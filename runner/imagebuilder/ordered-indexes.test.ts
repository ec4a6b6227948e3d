import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { orderedIndexes } from './ordered-indexes.ts';
import { usedIndexes } from './used-indexes.ts';

const directory = await mkdtemp(join(tmpdir(), 'asu-indexes-'));
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(async () => {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});
afterEach(() => {
  upstream.faults.clear();
  upstream.restore();
  upstream.clearRequests();
});

const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const BASE = 'releases/24.10.2/packages/x86_64/base';
const ADB = 'releases/25.12.0/packages/x86_64/base/packages.adb';
const published = async (path: string) => Buffer.from(await (await fetch(`${upstream.url}/${path}`)).arrayBuffer());
const used = (source: string, bytes: Uint8Array) => ({ source, file: 'file', sha256: sha256(bytes) });
const read = (...indexes: ReturnType<typeof used>[]) => ({ used: indexes, absent: [] });

describe('orderedIndexes', () => {
  it('knows opkg’s unpacked index for the packed one that was ordered, asking for it once', async () => {
    const packed = await published(`${BASE}/Packages.gz`);
    const ordered = { [`${BASE}/Packages.gz`]: sha256(packed) };
    const indexes = orderedIndexes({ upstreamUrl: upstream.url, fetch });
    upstream.clearRequests();
    await indexes.learn(ordered, never);
    await indexes.learn(ordered, never);
    expect(upstream.requests.length).toBe(1);
    expect([...indexes.compare(ordered, read(used(`${BASE}/Packages`, gunzipSync(packed)))).same]).toEqual([`${BASE}/Packages`]);
    expect(indexes.compare(ordered, read(used(`${BASE}/Packages`, Buffer.from('other')))).moved).toEqual([`${BASE}/Packages`]);
  });

  it('knows when upstream has another one by now', async () => {
    const ordered = { [`${BASE}/Packages.gz`]: sha256(await published(`${BASE}/Packages.gz`)) };
    const next = Buffer.from('Package: next\nVersion: 2\n\n');
    upstream.overlay(`/${BASE}/Packages.gz`, gzipSync(next));
    const indexes = orderedIndexes({ upstreamUrl: upstream.url, fetch });
    await indexes.learn(ordered, never);
    expect(indexes.compare(ordered, read(used(`${BASE}/Packages`, next)))).toMatchObject({ moved: [`${BASE}/Packages`], unknown: [] });
  });

  it('compares apk’s index as it is', async () => {
    const bytes = await published(ADB);
    const indexes = orderedIndexes({ upstreamUrl: upstream.url, fetch });
    expect([...indexes.compare({ [ADB]: sha256(bytes) }, read(used(ADB, bytes))).same]).toEqual([ADB]);
    expect(indexes.compare({ [ADB]: sha256(bytes) }, read(used(ADB, Buffer.from('other')))).moved).toEqual([ADB]);
  });

  it('does not know what upstream does not tell, and of what was not ordered', async () => {
    const ordered = { [`${BASE}/Packages.gz`]: '0'.repeat(64) };
    upstream.faults.add('Packages.gz', { kind: 'reset' });
    const indexes = orderedIndexes({ upstreamUrl: upstream.url, fetch });
    await indexes.learn(ordered, never);
    const comparison = indexes.compare(
      ordered,
      read(used(`${BASE}/Packages`, Buffer.from('a')), used('http://client.example/x', Buffer.from('b'))),
    );
    expect(comparison).toEqual({ same: new Set(), moved: [], unknown: [`${BASE}/Packages`, 'http://client.example/x'], lacking: [] });
  });

  it('tells what was ordered and could not be had from what never was there', () => {
    const ordered = { [`${BASE}/Packages.gz`]: '0'.repeat(64), [ADB]: '1'.repeat(64) };
    const indexes = orderedIndexes({ upstreamUrl: upstream.url, fetch });
    const absent = [`${BASE}/Packages`, ADB, 'releases/24.10.2/kmods/Packages'];
    expect(indexes.compare(ordered, { used: [used('x', Buffer.from('x'))], absent }).lacking).toEqual([`${BASE}/Packages`, ADB]);
    expect(indexes.compare(ordered, { used: [], absent }).lacking).toEqual([]);
  });
});

describe('usedIndexes', () => {
  const tree = join(directory, 'tree');
  const own = 'http://client.example/feed';

  it('finds them where opkg and apk put them, and follows no link out', async () => {
    await mkdir(join(tree, 'dl'), { recursive: true });
    await writeFile(join(directory, 'secret'), 'secret');
    await symlink(join(directory, 'secret'), join(tree, 'dl', 'linked'));
    await writeFile(join(tree, 'dl', 'openwrt_base'), 'base');
    await writeFile(join(tree, 'dl', 'mine'), 'mine');
    const opkg = [
      `src/gz openwrt_base ${upstream.url}/${BASE}`,
      `src/gz mine ${own}/`,
      `src/gz linked ${own}/linked`,
      `src/gz ../../secret ${own}/out`,
      `src/gz absent ${own}/absent`,
      'src imagebuilder file:packages',
      'option check_signature',
    ].join('\n');
    expect(await usedIndexes(tree, { repositories: opkg, packageManager: 'opkg', upstreamUrl: upstream.url })).toEqual({
      used: [
        { source: `${BASE}/Packages`, file: 'openwrt_base', sha256: sha256(Buffer.from('base')) },
        { source: `${own}/Packages`, file: 'mine', sha256: sha256(Buffer.from('mine')) },
      ],
      absent: [`${own}/linked/Packages`, `${own}/absent/Packages`],
    });

    // The name that apk-tools 3.0.5 gave the index of this URL.
    const url = 'http://127.0.0.1:8900/releases/25.12.0/packages/x86_64/base/packages.adb';
    await writeFile(join(tree, 'dl', 'APKINDEX.252a186c.tar.gz'), 'adb');
    const repositories = `# comment\n${url}\n${own}/packages.adb\npackages/packages.adb\n`;
    expect(await usedIndexes(tree, { repositories, packageManager: 'apk', upstreamUrl: 'http://127.0.0.1:8900' })).toEqual({
      used: [{ source: ADB, file: 'APKINDEX.252a186c.tar.gz', sha256: sha256(Buffer.from('adb')) }],
      absent: [`${own}/packages.adb`],
    });
  });
});
