import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseApkIndex } from '#core/catalogue/apk-index.ts';
import { finished } from '#lib/sliced.ts';
import { apkPackageFiles, opkgPackageFiles, opkgPackages } from './package-files.ts';

const digest = 'a'.repeat(64);

describe('opkgPackageFiles', () => {
  it('lists files with their digests, wherever they lie below the index', () => {
    const index = [
      [
        'Package: vim',
        'Version: 9.1',
        'Filename: vim_9.1-r1_x86_64.ipk',
        'Size: 123',
        `SHA256sum: ${digest}`,
        'Description: An editor',
        '',
      ],
      ['Package: libstdcpp6', `SHA256sum: ${digest}`, 'Filename: ./libs/libstdc++_13.3.0~1_x86_64.ipk', ''],
      ['Package: undigested', 'Filename: undigested_1.ipk'],
    ].flat();
    expect(finished(opkgPackageFiles(index.join('\n')))).toEqual([
      { path: 'vim_9.1-r1_x86_64.ipk', name: 'vim_9.1-r1_x86_64.ipk', sha256: digest, size: 123 },
      { path: 'libs/libstdc++_13.3.0~1_x86_64.ipk', name: 'libstdc++_13.3.0~1_x86_64.ipk', sha256: digest },
      { path: 'undigested_1.ipk', name: 'undigested_1.ipk' },
    ]);
  });

  it.each([
    '../../etc/passwd',
    '/etc/passwd',
    'a/../../b.ipk',
    'http://elsewhere/x.ipk',
    'a b.ipk',
    '.hidden.ipk',
    'a.ipk?x=1',
    'latest/meta-data',
    'a.ipk.txt',
    '',
  ])('lists no file at %j', (path) => {
    expect(finished(opkgPackageFiles(`Package: a\nFilename: ${path}\nSHA256sum: ${digest}\n\n`))).toEqual([]);
  });
});

describe('opkgPackages', () => {
  it('names what each package needs and provides, without versions', () => {
    const index = [
      'Package: luci-ssl',
      'Depends: libc, kernel (= 6.6.93~a5b6-r1), luci(>=1),libfoo20240329',
      'Provides: luci-any, luci-tls=2',
      'Filename: luci-ssl_1_all.ipk',
      'Description: Depends on nothing else',
      ' Depends: this-is-text',
      '',
      'Package: alone',
      'Filename: alone_1_all.ipk',
    ];
    expect(finished(opkgPackages(index.join('\n')))).toMatchObject([
      { name: 'luci-ssl', depends: ['libc', 'kernel', 'luci', 'libfoo20240329'], provides: ['luci-any', 'luci-tls'] },
      { name: 'alone', depends: [], provides: [] },
    ]);
  });
});

it('keeps a bounded number of the names that an index has', () => {
  const depends = Array.from({ length: 1_300 }, () => 'a').join(',');
  const stanza = `Package: p\nDepends: ${depends}\nFilename: p_1_all.ipk\n\n`;
  const read = finished(opkgPackages(stanza.repeat(600)));
  expect(read).toHaveLength(600);
  expect(read.reduce((sum, one) => sum + one.depends.length, 0)).toBeLessThan(502_000);
});

describe('apkPackageFiles', () => {
  it('names files as apk 3.0.5 asks for them, and keeps them', async () => {
    const bytes = await readFile(new URL('../catalogue/fixtures/telephony.packages.adb', import.meta.url));
    expect(finished(apkPackageFiles(finished(parseApkIndex(inflateRawSync(bytes.subarray(4))))))).toEqual([
      { path: 'asterisk-20.10.0-r1.apk', name: 'asterisk-20.10.0-r1.6544b36d.apk' },
      { path: 'libsrtp2-1-2.6.0-r1.apk', name: 'libsrtp2-1-2.6.0-r1.370a841f.apk' },
    ]);
  });

  it('names a file by the package alone where the index has no identity', () => {
    const plain = { name: 'a', version: '1', arch: '', provides: [], tags: [] };
    expect(finished(apkPackageFiles([plain, { ...plain, name: '../a' }, { ...plain, version: '1/2' }]))).toEqual([
      { path: 'a-1.apk', name: 'a-1.apk' },
    ]);
  });
});
