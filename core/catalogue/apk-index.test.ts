import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import { parseApkIndex } from './apk-index.ts';
import { apkFeed, parseIndexJson } from './package-index.ts';
import { writeApkIndex } from './testing/write-apk-index.ts';
import { MalformedFileError } from './upstream-files.ts';

/**
 * Indexes that apk-tools 3 made for the feeds of an ImageBuilder of 25.12, and what OpenWrt's make-index-json.py made
 * of them.
 */
const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url));
const unpacked = async (feed: string) => inflateRawSync((await fixture(`${feed}.packages.adb`)).subarray(4));

describe('packages.adb', () => {
  it('names packages, what they provide, and their ABI version', async () => {
    expect(finished(parseApkIndex(await unpacked('telephony')))).toMatchObject([
      { name: 'asterisk', version: '20.10.0-r1', arch: 'x86_64', provides: ['asterisk-any'], tags: ['openwrt:section=telephony'] },
      {
        name: 'libsrtp2-1',
        version: '2.6.0-r1',
        arch: 'x86_64',
        provides: ['libsrtp2', 'libsrtp2-any'],
        tags: ['openwrt:abiversion=-1', 'openwrt:section=libs'],
      },
    ]);
  });

  it('tells what apk knows each package by', async () => {
    for (const { identity } of finished(parseApkIndex(await unpacked('packages')))) expect(identity).toMatch(/^[0-9a-f]{64}$/);
  });

  it('tells which packages a package conflicts with, which apk keeps among its dependencies', async () => {
    const packages = finished(parseApkIndex(await unpacked('packages')));
    const conflicts = packages.flatMap(({ name, conflicts: others }) => (others === undefined ? [] : [[name, others]]));
    expect(conflicts).toEqual([
      ['foe-a', ['foe-b']],
      ['foe-b', ['foe-a']],
    ]);
    expect(finished(apkFeed(packages)).conflicts).toEqual({ 'foe-a': ['foe-b'], 'foe-b': ['foe-a'] });
    const written = finished(parseApkIndex(writeApkIndex(packages)));
    expect(written.map(({ conflicts: others }) => others)).toEqual(packages.map(({ conflicts: others }) => others));
  });

  it('names what each package needs where the reader asks for it, without what must not be there', async () => {
    const read = finished(parseApkIndex(await unpacked('packages'), { withDepends: true }));
    const needs = Object.fromEntries(read.map(({ name, depends }) => [name, depends]));
    expect(needs).toMatchObject({ auc: ['attendedsysupgrade-common', 'libc'], 'foe-a': ['libc'], 'needs-foe-a': ['foe-a', 'libc'] });
    const [plain] = finished(parseApkIndex(await unpacked('packages')));
    expect(plain).not.toHaveProperty('depends');
    const written = { name: 'a', version: '1', arch: '', depends: ['b'], conflicts: ['c'], provides: [], tags: [] };
    expect(finished(parseApkIndex(writeApkIndex([written]), { withDepends: true }))).toEqual([written]);
  });

  it.each(['telephony', 'packages'])('gives the same packages as index.json (%s)', async (feed) => {
    const json = finished(parseIndexJson((await fixture(`${feed}.index.json`)).toString()));
    const adb = finished(apkFeed(finished(parseApkIndex(await unpacked(feed)))));
    expect(adb.packages).toEqual(json.packages);
    expect(adb.architecture).toBe(json.architecture);
  });

  it('is refused when cut off, and never read beyond its end', async () => {
    const bytes = await unpacked('packages');
    const block = bytes.subarray(0, 8 + 0x1b18);
    fc.assert(
      fc.property(fc.nat(block.length - 1), (length) => {
        expect(() => finished(parseApkIndex(bytes.subarray(0, length)))).toThrow(MalformedFileError);
      }),
    );
  });

  it('is read or refused, whatever its bytes', async () => {
    const bytes = await unpacked('telephony');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const broken = Uint8Array.from(bytes);
        broken[at] = byte;
        try {
          finished(parseApkIndex(broken));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFileError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused when it refers to the same data again and again', () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `name-${index}`);
    const one = { name: 'a', version: '1', arch: 'x', provides: names, tags: [] };
    const long = { ...one, name: 'a'.repeat(1024 * 1024), provides: [] };
    for (const repeated of [one, long]) {
      const bytes = writeApkIndex(Array.from({ length: 3_000 }, () => repeated));
      expect(bytes.length).toBeLessThan(2 * 1024 * 1024);
      expect(() => finished(parseApkIndex(bytes))).toThrow(MalformedFileError);
    }
  });

  it('gives back what was written, whatever the length of the texts', () => {
    const text = fc.oneof(fc.string(), fc.string({ minLength: 300, maxLength: 400 }));
    const entry = fc.record({
      name: text,
      version: text,
      arch: text,
      provides: fc.array(text, { maxLength: 4 }),
      tags: fc.array(text, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), fc.uint8Array(), (packages, appendix) => {
        expect(finished(parseApkIndex(writeApkIndex(packages, appendix)))).toEqual(packages);
      }),
    );
  });
});
