import { describe, expect, it } from 'vitest';
import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import { declaredConflicts } from './declared-conflicts.ts';

const record = {
  defaultPackages: ['base-files', 'dnsmasq'],
  profiles: { box: { id: 'box', devicePackages: ['kmod-usb3', '-odhcpd'], supportedDevices: [], raw: {} } },
};
const index = (conflicts?: PackageIndex['conflicts']): PackageIndex => ({
  architecture: 'x86_64',
  target: {},
  feeds: {},
  aliases: [],
  complete: true,
  ...(conflicts && { conflicts }),
});
const pairs = (packages: readonly string[], conflicts: PackageIndex['conflicts'], isWholeList = false) =>
  declaredConflicts({ packages, diff_packages: isWholeList, profile: 'box' }, record, index(conflicts)).map((warning) => warning.packages);

describe('two packages of one image that conflict', () => {
  it('are warned of, with the one that says so', () => {
    const [warning] = declaredConflicts(
      { packages: ['foe-a', 'foe-b'], diff_packages: false, profile: 'box' },
      record,
      index({ 'foe-b': ['foe-a'] }),
    );
    expect(warning).toMatchObject({ code: 'packages_conflict', severity: 'strong', packages: ['foe-a', 'foe-b'] });
    expect(warning?.detail).toContain('foe-b declares a conflict with foe-a');
  });

  it.each([
    ['the first', { 'foe-a': ['foe-b'] }],
    ['the second', { 'foe-b': ['foe-a'] }],
    ['both', { 'foe-a': ['foe-b'], 'foe-b': ['foe-a'] }],
  ])('are warned of once, whichever of them declares it: %s', (_, conflicts) => {
    expect(pairs(['foe-b', 'foe-a'], conflicts)).toEqual([['foe-a', 'foe-b']]);
  });

  it('may be there by default, or of the device', () => {
    expect(pairs(['dnsmasq-full'], { 'dnsmasq-full': ['dnsmasq'] })).toEqual([['dnsmasq', 'dnsmasq-full']]);
    expect(pairs(['kmod-usb3-vendor'], { 'kmod-usb3': ['kmod-usb3-vendor'] })).toEqual([['kmod-usb3', 'kmod-usb3-vendor']]);
  });

  it('say how the one that is there by default is left out', () => {
    const [warning] = declaredConflicts(
      { packages: ['dnsmasq-full'], diff_packages: false, profile: 'box' },
      record,
      index({ 'dnsmasq-full': ['dnsmasq'] }),
    );
    expect(warning?.detail).toContain('-dnsmasq leaves out');
  });

  it('are not in the image when one of them is removed, by name or by a list that replaces the default packages', () => {
    const conflicts = { 'dnsmasq-full': ['dnsmasq'], odhcpd: ['base-files'] };
    expect(pairs(['dnsmasq-full', '-dnsmasq'], conflicts)).toEqual([]);
    expect(pairs(['dnsmasq-full'], conflicts, true)).toEqual([]);
    expect(pairs(['dnsmasq-full', 'dnsmasq'], conflicts, true)).toEqual([['dnsmasq', 'dnsmasq-full']]);
  });

  it('are two: a package that conflicts with a name of its own is no conflict', () => {
    expect(pairs(['foe-a'], { 'foe-a': ['foe-a', 'foe-any'] })).toEqual([]);
  });

  it('are unknown where the index is of a version that kept no conflicts, or where there is none', () => {
    expect(pairs(['foe-a', 'foe-b', 'constructor'], undefined)).toEqual([]);
    expect(declaredConflicts({ packages: ['foe-a', 'foe-b'], diff_packages: false, profile: 'box' }, record, undefined)).toEqual([]);
  });

  it('are named up to a limit', () => {
    const names = Array.from({ length: 60 }, (_, i) => `p${i}`);
    expect(pairs(names, Object.fromEntries(names.map((name) => [name, names])))).toHaveLength(20);
  });
});
