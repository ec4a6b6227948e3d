import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MakeInfoError, parseMakeInfo } from './make-info.ts';

const fixture = (name: string) => readFile(new URL(`./fixtures/make-info.${name}.txt`, import.meta.url), 'utf8');

describe('parseMakeInfo', () => {
  it.each(['24.10.2-x86-64', '25.12.0-x86-64'])('reads the output of a real ImageBuilder: %s', async (name) => {
    const info = parseMakeInfo(await fixture(name));
    expect(info.target).toBe('x86/64');
    expect(info.revision).toMatch(/^r\d{5}-[0-9a-f]{10}$/);
    expect(info.defaultPackages).toEqual(expect.arrayContaining(['base-files', 'dropbear', 'dnsmasq', 'procd-ujail', 'nftables']));
    expect(Object.keys(info.profiles)).toEqual(['generic']);
    expect(info.profiles['generic']).toEqual({
      title: 'Generic x86/64',
      packages: expect.arrayContaining(['kmod-amazon-ena', 'kmod-tg3']),
      hasImageMetadata: false,
      supportedDevices: [],
    });
  });

  it('reads titles, removals and devices, which may be absent', async () => {
    expect(parseMakeInfo(await fixture('24.10.2-ath79-generic'))).toEqual({
      target: 'ath79/generic',
      revision: 'r28739-d9340319c6',
      defaultPackages: ['base-files', 'ca-bundle', 'dropbear', 'fstools', 'kmod-gpio-button-hotplug', 'swconfig'],
      profiles: {
        '8dev_carambola2': {
          title: '8devices Carambola2',
          packages: ['kmod-usb-chipidea2'],
          hasImageMetadata: true,
          supportedDevices: ['8dev,carambola2', 'carambola2'],
        },
        '8dev_lima': { packages: [], hasImageMetadata: true, supportedDevices: ['8dev,lima'] },
        alcatel_hh40v: {
          title: 'Alcatel HH40V: 4G router',
          packages: ['kmod-usb2', 'kmod-usb-net-rndis', '-swconfig', '-uboot-envtools'],
          hasImageMetadata: true,
          supportedDevices: ['alcatel,hh40v'],
        },
        generic: { title: 'Generic', packages: ['fconfig'], hasImageMetadata: false, supportedDevices: [] },
      },
    });
  });

  it.each([
    ['Current Target: ', /target/],
    ['Current Revision: ', /revision/],
    ['Default Packages:', /default packages/],
    ['Available Profiles:', /list of profiles/],
    ['    Packages: kmod-usb-chipidea2', /packages of profile 8dev_carambola2/],
  ])('names what is missing without %j', async (start, message) => {
    const text = await fixture('24.10.2-ath79-generic');
    const damaged = text
      .split('\n')
      .filter((line) => !line.startsWith(start))
      .join('\n');
    expect(() => parseMakeInfo(damaged)).toThrow(MakeInfoError);
    expect(() => parseMakeInfo(damaged)).toThrow(message);
  });

  it.each(['', 'make: *** No rule to make target `info`.  Stop.', '<html>502</html>'])('refuses %j', (text) => {
    expect(() => parseMakeInfo(text)).toThrow(MakeInfoError);
  });

  it('accepts any name of a profile', async () => {
    const text = (await fixture('24.10.2-ath79-generic')).replace('8dev_lima:', '__proto__:').replace('alcatel_hh40v:', 'constructor:');
    expect(Object.keys(parseMakeInfo(text).profiles)).toEqual(['8dev_carambola2', '__proto__', 'constructor', 'generic']);
  });
});
