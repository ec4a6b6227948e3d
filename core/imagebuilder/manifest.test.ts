import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { manifestOf, parseApkInstalled, parseManifest, parseOpkgStatus } from './manifest.ts';

const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

describe('parseManifest', () => {
  it('reads opkg’s and apk’s form', () => {
    expect(parseManifest('dnsmasq - 2.90-r3\nlibstdc++ - 13.3.0-r4\n')).toEqual({ dnsmasq: '2.90-r3', 'libstdc++': '13.3.0-r4' });
    expect(parseManifest('dnsmasq 2.90-r3\r\nbase-files 1722~f919e7899d\n')).toEqual({
      dnsmasq: '2.90-r3',
      'base-files': '1722~f919e7899d',
    });
  });

  it('leaves out lines that name no package', () => {
    const chatter = "make[1]: Entering directory '/builder'\nUpdated list of available packages\n\n * error - text here\n";
    expect(parseManifest(`${chatter}a - 1\n`)).toEqual({ a: '1' });
    expect(parseManifest('')).toEqual({});
  });
});

describe('the package database', () => {
  const libevent = expect.objectContaining({ name: 'libevent2', installedName: 'libevent2-7', version: '2.1.12-r2', abiVersion: '-7' });

  it('knows the other names of a package', () => {
    const opkg = 'Package: a\nVersion: 1\nProvides: b, c (= 2)\nStatus: install user installed\n';
    expect(parseOpkgStatus(opkg)).toEqual([{ name: 'a', installedName: 'a', version: '1', provides: { b: '1', c: '2' } }]);
    expect(parseApkInstalled('P:a\nV:1\np:b c=2 so:libc.so=1\n')).toMatchObject([{ provides: { b: '1', c: '2' } }]);
  });

  it('of opkg gives the manifest that make printed', async () => {
    const installed = parseOpkgStatus(await fixture('opkg-status.24.10.2.txt'));
    const manifest = parseManifest(await fixture('manifest.24.10.2.txt'));
    expect(Object.entries(manifestOf(installed))).toEqual(Object.entries(manifest));
    expect(installed).toContainEqual(libevent);
    expect(installed).toContainEqual({ name: 'dropbear', installedName: 'dropbear', version: expect.any(String) });
  });

  it('of apk gives the manifest that make printed', async () => {
    const installed = parseApkInstalled(await fixture('apk-installed.25.12.0.txt'));
    const manifest = parseManifest(await fixture('manifest.25.12.0.txt'));
    expect(Object.entries(manifestOf(installed))).toEqual(Object.entries(manifest));
    expect(installed).toContainEqual(libevent);
    expect(installed.find(({ name }) => name === 'apk-mbedtls')?.provides).toEqual({ apk: '3.0.5-r3', 'apk-mbedtls-any': '3.0.5-r3' });
  });

  it('of opkg leaves out packages that are not installed', () => {
    const text = 'Package: a\nVersion: 1\nStatus: deinstall ok not-installed\n\nPackage: b\nVersion: 2\nStatus: install ok installed\n';
    expect(parseOpkgStatus(text)).toEqual([{ name: 'b', installedName: 'b', version: '2' }]);
    expect(parseOpkgStatus('')).toEqual([]);
    expect(parseApkInstalled('\n\n')).toEqual([]);
  });

  it('strips an ABI version only where the name ends in it', () => {
    const stanza = (name: string, abi: string) => `P:${name}\nV:1\ng:x openwrt:abiversion=${abi} openwrt:section=libs\n`;
    expect(parseApkInstalled(stanza('libfoo', '3'))).toEqual([{ name: 'libfoo', installedName: 'libfoo', version: '1' }]);
    expect(parseApkInstalled(stanza('3', '3'))).toEqual([{ name: '3', installedName: '3', version: '1' }]);
    expect(parseApkInstalled(stanza('liblua5.1.5', '5.1.5'))).toMatchObject([{ name: 'liblua' }]);
  });

  it('uses the later of two ABI versions of one library', () => {
    const text = 'P:libfoo2\nV:2\ng:openwrt:abiversion=2\n\nP:libfoo1\nV:1\ng:openwrt:abiversion=1\n\nP:liba\nV:0\n';
    expect(Object.entries(manifestOf(parseApkInstalled(text)))).toEqual([
      ['liba', '0'],
      ['libfoo', '2'],
    ]);
  });
});
