import { createHash, createPublicKey, verify } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseApkIndex } from '#core/catalogue/apk-index.ts';
import { finished } from '#lib/sliced.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { demoUpstreamDirectory, generateDemoUpstream } from './generate.ts';
import { demoUpstreamKey } from './key.ts';
import { run } from './unpacked-imagebuilder.ts';

const tree = await demoUpstreamDirectory();
const read = (path: string) => readFile(join(tree, path));
const readJson = async (path: string) => JSON.parse(await readFile(join(tree, path), 'utf8'));
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

function verifies(content: Buffer, signatureFile: Buffer): boolean {
  const key = Buffer.from(demoUpstreamKey.publicKey.split('\n')[1] ?? '', 'base64');
  const signature = Buffer.from(signatureFile.toString().split('\n')[1] ?? '', 'base64');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.subarray(10)]);
  const sameKey = signature.subarray(0, 10).equals(key.subarray(0, 10));
  return sameKey && verify(null, content, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature.subarray(10));
}

/** Returns the version of each package by its name without ABI version, from an opkg index. */
function fromPackages(text: string): Record<string, string> {
  const stanzas = text.trim().split('\n\n');
  return Object.fromEntries(
    stanzas.map((stanza) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
      const abi = field('ABIVersion');
      return [abi === '' ? field('Package') : field('Package').slice(0, -abi.length), field('Version')];
    }),
  );
}

describe('the tree', () => {
  it('is the same each time and is cached', async () => {
    const again = await temporaryDirectory();
    const [, ...cached] = await Promise.all([generateDemoUpstream(again), demoUpstreamDirectory(), demoUpstreamDirectory()]);
    expect(cached).toEqual([tree, tree]);
    const names = (await filesBelow(tree)).sort();
    const digests = async (directory: string, files: string[]) =>
      Promise.all(files.map(async (name) => `${name} ${sha256(await readFile(join(directory, name)))}`));
    const [expected, actual] = await Promise.all([digests(tree, names), digests(again, (await filesBelow(again)).sort())]);
    const known = new Set(expected);
    expect(actual.filter((line) => !known.has(line))).toEqual([]);
    expect(actual).toHaveLength(expected.length);
  });

  it('lists versions, targets and devices', async () => {
    const { versions_list, stable_version } = await readJson('.versions.json');
    expect(versions_list).toContain(stable_version);
    for (const version of versions_list) {
      const targets = await readJson(`releases/${version}/.targets.json`);
      expect(targets['x86/64']).toBe('x86_64');
      for (const target of Object.keys(targets)) {
        const profiles = await readJson(`releases/${version}/targets/${target}/profiles.json`);
        expect(profiles).toMatchObject({ target, version_number: version, arch_packages: targets[target], metadata_version: 1 });
        expect(await read(`releases/${version}/targets/${target}/version.buildinfo`)).toEqual(Buffer.from(`${profiles.version_code}\n`));
      }
    }
    const overview = await readJson('releases/24.10.2/.overview.json');
    expect(overview.profiles).toContainEqual({ id: 'generic', target: 'x86/64', titles: [{ vendor: 'Generic', model: 'x86/64' }] });
    expect(await readJson('snapshots/.targets.json')).toMatchObject({ 'ath79/generic': 'mips_24kc' });
  });

  it.each(['releases/23.05.5', 'releases/24.10.0', 'releases/24.10.2', 'releases/25.12.0', 'snapshots'])(
    '%s: sha256sums lists every file and is signed',
    async (version) => {
      const directory = `${version}/targets/x86/64`;
      const sums = await read(`${directory}/sha256sums`);
      expect(verifies(sums, await read(`${directory}/sha256sums.sig`))).toBe(true);
      const listed = new Map(
        sums
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => [line.slice(66), line.slice(0, 64)] as const),
      );
      const files = (await filesBelow(join(tree, directory))).filter((name) => !name.startsWith('sha256sums'));
      expect([...listed.keys()].sort()).toEqual(files.sort());
      for (const [name, digest] of listed) expect(sha256(await read(`${directory}/${name}`)), name).toBe(digest);
      const tarball = files.filter((name) => /^openwrt-imagebuilder-.*x86_64\.tar\.(xz|zst)$/.test(name));
      expect(tarball).toHaveLength(1);
    },
  );

  it.each(['releases/23.05.5/targets/ath79/generic', 'releases/25.12.0/targets/ath79/generic'])(
    '%s: the tarball has one top directory with the files of an ImageBuilder',
    async (target) => {
      const [name = ''] = (await readdir(join(tree, target))).filter((entry) => entry.startsWith('openwrt-imagebuilder-'));
      const packed = await read(`${target}/${name}`);
      const listing = name.endsWith('.zst')
        ? await run('tar', ['-tf', '-'], { input: zstdDecompressSync(packed) })
        : await run('tar', ['-tJf', '-'], { input: packed });
      const names = listing.stdout.trimEnd().split('\n');
      const top = name.replace(/\.tar\.(xz|zst)$/, '');
      expect(new Set(names.map((entry) => entry.split('/')[0]))).toEqual(new Set([top]));
      const repositories = target.includes('25.12') ? 'repositories' : 'repositories.conf';
      for (const file of ['.config', '.targetinfo', 'Makefile', 'rules.mk', 'keys/', repositories])
        expect(names).toContain(`${top}/${file}`);
    },
  );
});

describe('package indexes', () => {
  it('in form 1 have names with ABI versions, and neither kernel nor libc', async () => {
    const { packages, version } = await readJson('releases/24.10.0/packages/mips_24kc/base/index.json');
    expect(version).toBeUndefined();
    expect(packages['libubox20240329']).toBe('2024.03.29~eb9bcb64-r1');
    const target = await readJson('releases/24.10.0/targets/ath79/generic/packages/index.json');
    expect(Object.keys(target.packages)).toContain('base-files');
    expect(Object.keys(target.packages)).not.toContain('kernel');
    expect(Object.keys(target.packages)).not.toContain('libc');
  });

  it('in form 2 have the names of Packages without their ABI versions', async () => {
    const { packages, version } = await readJson('releases/24.10.2/packages/mips_24kc/base/index.json');
    expect(version).toBe(2);
    const text = await read('releases/24.10.2/packages/mips_24kc/base/Packages');
    expect(fromPackages(text.toString())).toEqual(packages);
    expect(gunzipSync(await read('releases/24.10.2/packages/mips_24kc/base/Packages.gz'))).toEqual(text);
    expect(verifies(text, await read('releases/24.10.2/packages/mips_24kc/base/Packages.sig'))).toBe(true);
    const apk = await readJson('releases/25.12.0/targets/x86/64/packages/index.json');
    expect(Object.keys(apk.packages)).toEqual(expect.arrayContaining(['base-files', 'kernel', 'libc']));
    const adb = await read('releases/25.12.0/packages/x86_64/base/packages.adb');
    expect(adb.toString('latin1', 0, 4)).toBe('ADBd');
    expect(finished(parseApkIndex(inflateRawSync(adb.subarray(4))))).toContainEqual({
      name: 'libncurses6',
      version: '6.4-r1',
      arch: 'x86_64',
      provides: ['libncurses'],
      tags: ['openwrt:abiversion=6'],
    });
  });

  it('have kmods in a directory of their own since 24.10', async () => {
    const old = await readJson('releases/23.05.5/targets/x86/64/packages/index.json');
    expect(old.packages['kmod-nft-core']).toBe('5.15.167-1');
    const { linux_kernel } = await readJson('releases/24.10.2/targets/x86/64/profiles.json');
    const kmods = `kmods/${linux_kernel.version}-${linux_kernel.release}-${linux_kernel.vermagic}`;
    expect((await readJson(`releases/24.10.2/targets/x86/64/${kmods}/index.json`)).packages['kmod-nft-core']).toBe('6.6.93-r1');
    expect(Object.keys((await readJson('releases/24.10.2/targets/x86/64/packages/index.json')).packages)).not.toContain('kmod-nft-core');
  });

  it('have the packages of each branch', async () => {
    const packages = async (version: string, feed: string) =>
      Object.keys((await readJson(`releases/${version}/packages/x86_64/${feed}/index.json`)).packages);
    expect(await packages('23.05.5', 'packages')).toContain('auc');
    expect(await packages('24.10.2', 'packages')).not.toContain('auc');
    expect(await packages('24.10.2', 'packages')).toContain('owut');
    expect(await packages('23.05.5', 'luci')).toContain('luci-i18n-opkg-de');
    expect(await packages('24.10.2', 'luci')).toContain('luci-i18n-package-manager-de');
    const feeds = await readFile(join(tree, 'releases/24.10.2/packages/x86_64/feeds.conf'), 'utf8');
    expect(feeds.split('\n').map((line) => line.split(' ')[1])).toEqual(['base', 'luci', 'packages', 'routing', 'telephony', undefined]);
  });
});
