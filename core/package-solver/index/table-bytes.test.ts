import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import { samplePackage } from '../testing/sample-package.ts';
import { EQUAL, GREATER, type IndexPackage, plainRelation } from './index-package.ts';
import { type PackageTable, packageAt, packageCount, packageTable } from './package-table.ts';
import { bytesOfTable, tableFromBytes } from './table-bytes.ts';

const PACKAGES: IndexPackage[] = [
  {
    name: 'libubox20260213',
    version: '2026.02.13~8d4a6e2f-r1',
    arch: 'mips_24kc',
    depends: [
      { alternatives: [plainRelation('libc')], isGreedy: false },
      { alternatives: [plainRelation('kmod-a'), { ...plainRelation('kmod-b', '1'), accepts: GREATER | EQUAL }], isGreedy: false },
      { alternatives: [{ ...plainRelation('other', '2'), isConflict: true, isFuzzy: true }], isGreedy: true },
    ],
    conflicts: [plainRelation('libubox')],
    provides: [
      { name: 'libubox', version: '' },
      { name: 'so:libubox.so', version: '3' },
    ],
    installIf: [plainRelation('ubus')],
    priority: 10,
    tags: ['openwrt:abiversion=20260213', 'openwrt:cpe'],
    identity: 'ab'.repeat(32),
    isBeyond: true,
    downloadSize: 12_345,
    installedSize: 54_321,
    description: 'Basic utility library – größer',
  },
  samplePackage('zlib'),
];

const tableOf = (packages: readonly IndexPackage[]): PackageTable => finished(packageTable('Packages', packages));
const packagesIn = (table: PackageTable | undefined) =>
  table && Array.from({ length: packageCount(table) }, (_, at) => packageAt(table, at));
const fromBytes = (bytes: Uint8Array) => finished(tableFromBytes(bytes));

describe('a table of packages', () => {
  it.each([[PACKAGES], [PACKAGES.slice(1)], [[]]])(
    'has the packages that it was made of, and so has the one that is read from its bytes',
    (packages) => {
      const table = tableOf(packages);
      expect(packagesIn(table)).toEqual(packages);
      const again = fromBytes(bytesOfTable(table));
      expect(packagesIn(again)).toEqual(packages);
      expect(again).toEqual(table);
    },
  );

  it('is not read from bytes of another format, or that are cut off', () => {
    const bytes = bytesOfTable(tableOf(PACKAGES));
    for (const format of [0, 2, 0xffffffff]) {
      const other = bytes.slice();
      new DataView(other.buffer).setUint32(4, format, true);
      expect(fromBytes(other)).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length++) expect(fromBytes(bytes.subarray(0, length))).toBeUndefined();
  });

  it('is absent or whole when any number in its bytes is another one', () => {
    const bytes = bytesOfTable(tableOf(PACKAGES));
    const numbers = Math.floor((bytes.length - new TextEncoder().encode(tableOf(PACKAGES).names.join('\n')).length) / 4);
    let absent = 0;
    for (let at = 0; at < numbers; at++)
      for (const value of [0, 1, 7, 1000, 0xffffffff]) {
        const damaged = bytes.slice();
        new DataView(damaged.buffer).setUint32(at * 4, value, true);
        const found = packagesIn(fromBytes(damaged));
        if (found === undefined) absent++;
        else for (const { name, depends } of found) expect([typeof name, Array.isArray(depends)]).toEqual(['string', true]);
      }
    expect(absent).toBeGreaterThan(numbers);
  });
});
