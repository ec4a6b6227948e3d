import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, PackageIndex, TargetRecord } from '#core/catalogue/catalogue.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import { buildRequestParser } from './parse-build-request.ts';
import { preparationMemory } from './preparation-memory.ts';
import { type PrepareBuildOptions, prepareBuild } from './prepare-build.ts';

type Defaults = readonly [ofTarget: readonly string[], ofDevice: readonly string[], profile?: string];

/** The default packages of each version. An error: upstream does not answer about it. */
const published: Record<string, Defaults | Error> = {
  '21.02.7': [['base-files', 'firewall', 'opkg'], []],
  '23.05.5': [
    ['base-files', 'firewall4', 'opkg', 'wpad-basic-mbedtls'],
    ['kmod-usb2', '-ppp'],
  ],
  '24.10.0': [['base-files', 'firewall4'], [], 'unrelated'],
  '24.10.1': new UpstreamUnavailableError('24.10.1', 'it is away'),
  '24.10.2': [
    ['base-files', 'firewall4', 'opkg', 'wpad-basic-mbedtls', 'procd-ujail', 'uboot-envtools'],
    ['kmod-usb2', 'kmod-phy-new', '~boot-blob', '-uboot-envtools'],
  ],
  '25.12.0': [['base-files', 'firewall4', 'apk-mbedtls', 'procd-ujail'], []],
  SNAPSHOT: [['base-files'], []],
};

function recordOf(version: string): TargetRecord | undefined {
  const found = published[version];
  if (found instanceof Error) throw found;
  if (found === undefined) return undefined;
  const [defaultPackages, devicePackages, id = 'device'] = found;
  return {
    version,
    target: 'ath79/generic',
    versionPath: `releases/${version}`,
    arch: 'mips_24kc',
    revision: 'r1-a',
    defaultPackages,
    profiles: { [id]: { id, devicePackages, supportedDevices: id === 'unrelated' ? [] : ['maker,device'], raw: {} }, other: OTHER },
    metadata: {},
    indexes: {},
    fetchedAt: '2026-11-01T00:00:00.000Z',
  };
}
const OTHER = { id: 'other', devicePackages: [], supportedDevices: [], raw: {} };

const index: PackageIndex = { architecture: 'mips_24kc', target: {}, feeds: {}, aliases: [], complete: false };
const catalogue: Catalogue = {
  versions: async () => ({ list: [...Object.keys(published), '24.10.9'].filter((version) => version !== 'SNAPSHOT') }),
  hasVersion: async () => true,
  hasArch: async () => true,
  targets: async () => ({ 'ath79/generic': 'mips_24kc' }),
  target: async (version) => recordOf(version),
  packages: async () => index,
  feeds: async () => ({}),
};
const branches = DEFAULT_BRANCHES.map((branch) => (branch.name === '21.02' ? { ...branch, enabled: false } : branch));
const deps = { catalogue, policy: { allowDefaults: false, repositoryAllowList: [], branches }, memory: preparationMemory() };

const UPGRADE = {
  version: '24.10.2',
  from_version: '23.05.5',
  target: 'ath79/generic',
  profile: 'device',
  packages: ['base-files', 'luci'],
  diff_packages: true,
  honor_defaults: true,
};
const prepare = (change: object = {}, options: PrepareBuildOptions = {}) =>
  prepareBuild(deps, buildRequestParser()({ ...UPGRADE, ...change }), options);
const packagesOf = async (change?: object, options?: PrepareBuildOptions) => (await prepare(change, options)).resolved.packages;
const codesOf = async (change?: object) => (await prepare(change)).warnings.map(({ code }) => code);

describe('honor_defaults', () => {
  it('adds what upstream has added to the defaults of the target and of the device, each with its reason', async () => {
    const { resolved, changes, warnings } = await prepare();
    expect(resolved.packages).toEqual(['base-files', 'luci', 'procd-ujail', 'kmod-phy-new']);
    const added = { type: 'addition', action: 'add', automatic: true };
    expect(changes).toEqual([
      {
        ...added,
        package: 'procd-ujail',
        reason: expect.stringMatching(/default packages of this target between 23\.05\.5 and 24\.10\.2/),
      },
      { ...added, package: 'kmod-phy-new', reason: expect.stringMatching(/packages of this device between 23\.05\.5 and 24\.10\.2/) },
    ]);
    expect(warnings.map(({ code }) => code)).not.toContain('defaults_not_compared');
  });

  it.each<[string, object, readonly string[]]>([
    ['honor_defaults', { honor_defaults: false }, ['base-files', 'luci']],
    ['a whole list', { diff_packages: false }, ['base-files', 'luci']],
    ['another version before', { from_version: '24.10.2' }, ['base-files', 'luci']],
  ])('adds nothing without %s', async (_, change, expected) => {
    expect(await packagesOf(change)).toEqual(expected);
    expect(await codesOf(change)).not.toContain('defaults_not_compared');
  });

  it('is ignored by a client that skips the resolution', async () => {
    expect(await packagesOf({}, { skipResolution: true })).toEqual(UPGRADE.packages);
  });

  it('leaves out what the request removes', async () => {
    const packages = ['base-files', '-kmod-phy-new'];
    expect(await packagesOf({ packages })).toEqual([...packages, 'procd-ujail']);
  });

  it('does not bring back what the list lacks on purpose, under its new name', async () => {
    expect(await packagesOf({ version: '25.12.0', from_version: '21.02.7' })).toEqual(['base-files', 'luci', 'procd-ujail']);
    expect(await packagesOf({ version: '25.12.0', from_version: '21.02.7', packages: ['firewall', 'opkg'] })).toEqual([
      'firewall4',
      'apk-mbedtls',
      'procd-ujail',
    ]);
  });

  it('names the packages by packages_versions, and requires no version of what it adds', async () => {
    const { resolved } = await prepare({ packages_versions: { luci: '25' } });
    expect(resolved.packages).toEqual(['luci', 'procd-ujail', 'kmod-phy-new']);
    expect(resolved.packages_versions).toEqual({ luci: '25' });
  });

  it('finds a device that upstream has renamed', async () => {
    published['23.05.4'] = [['base-files', 'firewall4', 'opkg', 'wpad-basic-mbedtls', 'procd-ujail'], ['kmod-usb2'], 'maker_device'];
    expect(await packagesOf({ from_version: '23.05.4' })).toEqual(['base-files', 'luci', 'kmod-phy-new']);
  });

  it.each([
    ['no version', { from_version: '' }, /from_version/],
    ['a version that is none', { from_version: '..' }, /does not have ath79\/generic of \.\./],
    ['a version that upstream does not list', { from_version: '24.10.77' }, /does not have ath79\/generic of 24\.10\.77/],
    ['a version without the target', { from_version: '24.10.9' }, /does not have ath79\/generic of 24\.10\.9/],
    ['a version without the device', { from_version: '24.10.0' }, /24\.10\.0 does not have the device/],
    ['a version of which upstream does not answer', { from_version: '24.10.1' }, /does not answer about 24\.10\.1/],
    ['a snapshot that moves', { version: 'SNAPSHOT', from_version: 'SNAPSHOT' }, /SNAPSHOT moves/],
  ])('adds nothing after %s, and warns', async (_, change, detail) => {
    const { resolved, warnings } = await prepare(change);
    expect(resolved.packages).toEqual(UPGRADE.packages);
    expect(warnings).toContainEqual({ code: 'defaults_not_compared', severity: 'strong', detail: expect.stringMatching(detail) });
  });

  it('follows upstream when the old version is readable by the next time', async () => {
    expect(await packagesOf({ from_version: '24.10.9' })).toEqual(UPGRADE.packages);
    published['24.10.9'] = [['base-files', 'procd-ujail'], []];
    const late = await packagesOf({ from_version: '24.10.9' });
    delete published['24.10.9'];
    expect(late).toEqual(['base-files', 'luci', 'firewall4', 'opkg', 'wpad-basic-mbedtls', 'kmod-usb2', 'kmod-phy-new']);
  });
});

it('gives one hash to the request and to the prepared one, whatever the list', async () => {
  const words = ['base-files', 'firewall', 'luci', 'opkg', 'procd-ujail', '-procd-ujail', '-kmod-phy-new', 'auc', '-firewall4'];
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(words),
      fc.constantFrom('21.02.7', '23.05.5', '24.10.2'),
      fc.constantFrom('24.10.2', '25.12.0'),
      async (packages, from_version, version) => {
        const first = await prepare({ packages, from_version, version });
        const again = await prepareBuild(deps, first.resolved);
        expect([again.hash, again.changes]).toEqual([first.hash, []]);
        expect((await prepareBuild(deps, first.resolved, { skipResolution: true })).hash).toBe(first.hash);
        for (const change of first.changes) if (change.type === 'addition') expect(packages).not.toContain(`-${change.package}`);
      },
    ),
  );
});
