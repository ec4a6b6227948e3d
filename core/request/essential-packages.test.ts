import { describe, expect, it } from 'vitest';
import type { Profile, TargetRecord } from '#core/catalogue/catalogue.ts';
import { essentialPackages } from './essential-packages.ts';

const DEFAULTS = [
  'base-files',
  'busybox',
  'dnsmasq',
  'dropbear',
  'firewall4',
  'libc',
  'netifd',
  'procd-ujail',
  'uci',
  'wpad-basic-mbedtls',
];
const device = (...devicePackages: string[]): Profile => ({ id: 'box', devicePackages, supportedDevices: [], raw: {} });

/** Returns the warnings as severity and packages, for a list that replaces the default packages. */
function warned(packages: readonly string[], { defaults = DEFAULTS, profile = device() }: { defaults?: string[]; profile?: Profile } = {}) {
  const record: Pick<TargetRecord, 'defaultPackages' | 'profiles'> = { defaultPackages: defaults, profiles: { box: profile } };
  return essentialPackages({ packages, diff_packages: true, profile: 'box' }, record).map(({ severity, packages: about }) => [
    severity,
    about,
  ]);
}

const without = (...names: string[]) => DEFAULTS.filter((name) => !names.includes(name));

describe('a list that replaces the default packages', () => {
  it('is warned of strongly when it is only the extras of a script, and names what is missing', () => {
    const [strong] = essentialPackages(
      { packages: ['luci-app-sqm', 'vim'], diff_packages: true, profile: 'box' },
      { defaultPackages: DEFAULTS, profiles: { box: device() } },
    );
    expect(strong).toMatchObject({ code: 'essential_packages_missing', severity: 'strong' });
    expect(strong?.packages).toEqual(['base-files', 'busybox', 'dropbear', 'libc', 'netifd', 'procd-ujail', 'uci']);
    expect(strong?.detail).toContain('base-files (the base system)');
    expect(strong?.detail).toContain('diff_packages');
  });

  it('is fine when it has everything, or more', () => {
    expect(warned(DEFAULTS)).toEqual([]);
    expect(warned([...DEFAULTS, 'vim', 'kmod-usb3'])).toEqual([]);
  });

  it.each(['libc', 'netifd', 'procd-ujail'])('is fine without %s, which base-files brings along', (name) => {
    expect(warned(without(name))).toEqual([]);
  });

  /** What base-files depends on in the indexes of 23.05.2 (opkg) and 25.12.0 (apk). */
  const NEEDS = {
    '23.05': ['libc', 'netifd', 'jsonfilter', 'usign', 'openwrt-keyring', 'ubi-utils', 'fstools', 'fwtool'],
    '25.12': 'busybox fstools fwtool jsonfilter libc netifd openwrt-keyring procd procd-seccomp usign'.split(' '),
  };

  it.each([
    ['23.05', ['libc', 'netifd'], ['busybox', 'procd-ujail', 'uci']],
    ['25.12', ['busybox', 'libc', 'netifd', 'procd-ujail'], ['uci']],
  ] as const)('lacks in %s what base-files does not bring along there', (branch, brought, lacking) => {
    const index = { baseNeeds: NEEDS[branch] };
    const record = { defaultPackages: DEFAULTS, profiles: { box: device() } };
    const about = (...names: readonly string[]) =>
      essentialPackages({ packages: without(...names), diff_packages: true, profile: 'box' }, record, index).flatMap(
        ({ packages = [] }) => packages,
      );
    expect(about(...brought)).toEqual([]);
    expect(about(...lacking)).toEqual(lacking);
    expect(about('base-files', ...brought)).toEqual(['base-files', ...brought]);
  });

  it.each(['base-files', 'busybox', 'dropbear', 'uci'])('is warned of strongly without %s', (name) => {
    expect(warned(without(name))).toEqual([['strong', [name]]]);
  });

  it.each(['firewall4', 'dnsmasq', 'wpad-basic-mbedtls'])('is noted without %s, which the device can be reached without', (name) => {
    expect(warned(without(name))).toEqual([['note', [name]]]);
  });

  it.each([
    ['dropbear', ['openssh-server']],
    ['busybox', ['busybox-selinux']],
    ['firewall4', ['firewall']],
    ['dnsmasq', ['dnsmasq-full']],
    ['wpad-basic-mbedtls', ['wpad-openssl']],
    ['wpad-basic-mbedtls', ['hostapd-mbedtls', 'wpa-supplicant-mbedtls']],
  ])('is fine with another package in the place of %s', (name, others) => {
    expect(warned([...without(name), ...others])).toEqual([]);
  });

  it('is noted without SSH if there is a web interface to reach the device by', () => {
    expect(warned([...without('dropbear'), 'luci'])).toEqual([['note', ['dropbear']]]);
  });

  it('is judged by what results, whether a package is absent or removed by name', () => {
    expect(warned([...without('dropbear'), '-dropbear'])).toEqual([['strong', ['dropbear']]]);
    expect(warned([...DEFAULTS, '-dropbear'])).toEqual([['strong', ['dropbear']]]);
    expect(warned([...without('dropbear'), '-dropbear', 'openssh-server'])).toEqual([]);
  });

  it('may have both kinds of warning, the strong one first', () => {
    expect(warned(without('busybox', 'firewall4', 'dnsmasq'))).toEqual([
      ['strong', ['busybox']],
      ['note', ['dnsmasq', 'firewall4']],
    ]);
  });

  it('needs nothing that the device does not have by default', () => {
    expect(warned(['vim'], { defaults: ['ca-bundle'] })).toEqual([]);
    expect(warned(without('dnsmasq', 'firewall4'), { profile: device('-dnsmasq', '-firewall4') })).toEqual([]);
    expect(warned(without('dropbear'), { defaults: without('dropbear'), profile: device('dropbear') })).toEqual([['strong', ['dropbear']]]);
  });

  it('needs a driver for the wired network where the device has one of its own', () => {
    const profile = device('kmod-usb3', 'kmod-dsa-rtl8365mb');
    expect(warned(DEFAULTS, { profile })).toEqual([['strong', ['kmod-dsa-rtl8365mb']]]);
    expect(warned([...DEFAULTS, 'kmod-dsa-rtl8365mb'], { profile })).toEqual([]);
  });

  it('needs one of the network cards that a PC may have, and any will do', () => {
    const defaults = [...DEFAULTS, 'kmod-e1000e', 'kmod-igc', 'kmod-r8169'];
    expect(warned(DEFAULTS, { defaults })).toEqual([['strong', ['kmod-e1000e', 'kmod-igc', 'kmod-r8169']]]);
    for (const one of ['kmod-igc', 'kmod-r8125', 'kmod-mlx5-core']) expect(warned([...DEFAULTS, one], { defaults })).toEqual([]);
  });

  it('needs no module that the target has by default for other devices', () => {
    expect(warned(DEFAULTS, { defaults: [...DEFAULTS, 'kmod-phy-aquantia'] })).toEqual([]);
  });

  it('is noted without any driver for Wi-Fi where the device has one', () => {
    const profile = device('kmod-ath10k-ct', 'ath10k-firmware-qca9888-ct');
    expect(warned(DEFAULTS, { profile })).toEqual([['note', ['kmod-ath10k-ct']]]);
    expect(warned([...DEFAULTS, 'kmod-ath10k'], { profile })).toEqual([]);
  });
});

describe('a list that is added to the default packages', () => {
  it('is never warned of, whatever it removes', () => {
    const record = { defaultPackages: DEFAULTS, profiles: { box: device() } };
    expect(essentialPackages({ packages: ['vim', '-dropbear'], diff_packages: false, profile: 'box' }, record)).toEqual([]);
  });
});
