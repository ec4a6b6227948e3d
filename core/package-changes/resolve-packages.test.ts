import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '#core/catalogue/versions.ts';
import type { PackageRule } from './package-rule.ts';
import { PACKAGE_RULES } from './package-rules.ts';
import { type ResolvePackagesInput, resolvePackages } from './resolve-packages.ts';

const ask = (input: Partial<ResolvePackagesInput>): ResolvePackagesInput => ({
  version: '24.10.2',
  target: 'x86/64',
  profile: 'generic',
  packages: [],
  packagesVersions: {},
  ...input,
});
const packagesOf = (input: Partial<ResolvePackagesInput>) => resolvePackages(ask(input)).packages;

/** The rules of docs/contract.md §7 as rows: version, target, profile, requested packages, built packages. */
describe('the reference server’s rules', () => {
  type Row = readonly [version: string, target: string, profile: string, asked: readonly string[], built: readonly string[]];
  const added = (version: string, target: string, profiles: readonly string[], ...packages: string[]): Row[] =>
    profiles.map((profile) => [version, target, profile, ['a'], ['a', ...packages]]);
  const phy = (kind: string) => [`xrx200-rev1.1-${kind}-firmware`, `xrx200-rev1.2-${kind}-firmware`];

  const rows: readonly Row[] = [
    // 23.05
    ...added('23.05.5', 'mediatek/mt7622', ['any'], 'kmod-mt7622-firmware'),
    ...added('23.05-SNAPSHOT', 'mediatek/mt7622', ['any'], 'kmod-mt7622-firmware'),
    ...added('23.05.0-rc1', 'mediatek/mt7622', ['any'], 'kmod-mt7622-firmware'),
    ...added(
      '23.05.2',
      'ath79/generic',
      [
        'buffalo_wzr-hp-g300nh-s',
        'dlink_dir-825-b1',
        'netgear_wndr3700',
        'netgear_wndr3700-v2',
        'netgear_wndr3800',
        'netgear_wndr3800ch',
        'netgear_wndrmac-v1',
        'netgear_wndrmac-v2',
        'trendnet_tew-673gru',
      ],
      'kmod-switch-rtl8366s',
    ),
    ...added('23.05.2', 'ath79/generic', ['buffalo_wzr-hp-g300nh-rb'], 'kmod-switch-rtl8366rb'),
    ...added('23.05.2', 'ath79/generic', ['tplink_archer-c7-v2', 'tplink_archer-c6-v2']),
    ...added('23.05.2', 'mediatek/filogic', ['any']),
    // 24.10
    ['24.10.0', 'x86/64', 'generic', ['auc', 'a'], ['a', 'owut']],
    ['24.10-SNAPSHOT', 'x86/64', 'generic', ['auc', 'owut', 'a'], ['owut', 'a']],
    ['24.10.0', 'x86/64', 'generic', ['a'], ['a']],
    ['23.05.5', 'x86/64', 'generic', ['auc'], ['auc']],
    ['25.12.0', 'x86/64', 'generic', ['auc'], ['auc']],
    ['SNAPSHOT', 'x86/64', 'generic', ['auc'], ['auc']],
    ...added('24.10.1', 'ath79/generic', ['tplink_archer-c6-v2'], 'ipq-wifi-tplink_archer-c6-v2'),
    ...added('24.10.1', 'mediatek/filogic', ['any'], 'fitblk'),
    ...added('24.10.1', 'mediatek/mt7622', ['any'], 'fitblk'),
    ...added('24.10.1', 'mediatek/mt7623', ['any'], 'fitblk'),
    ...added('24.10.1', 'mediatek/mt7629', ['any']),
    ...added('25.12.0', 'mediatek/filogic', ['any']),
    // 25.12
    ...added(
      '25.12.0',
      'kirkwood/generic',
      ['checkpoint_l-50', 'endian_4i-edge-200', 'linksys_e4200-v2', 'linksys_ea3500', 'linksys_ea4500'],
      'kmod-dsa-mv88e6xxx',
    ),
    ...added('25.12.0', 'kirkwood/generic', ['seagate_dockstar']),
    ...added(
      '25.12-SNAPSHOT',
      'mvebu/cortexa9',
      [
        'cznic_turris-omnia',
        'fortinet_fg-30e',
        'fortinet_fwf-30e',
        'fortinet_fg-50e',
        'fortinet_fg-51e',
        'fortinet_fg-52e',
        'fortinet_fwf-50e-2r',
        'fortinet_fwf-51e',
        'iij_sa-w2',
        'linksys_wrt1200ac',
        'linksys_wrt1900acs',
        'linksys_wrt1900ac-v1',
        'linksys_wrt1900ac-v2',
        'linksys_wrt3200acm',
        'linksys_wrt32x',
        'marvell_a370-rd',
      ],
      'kmod-dsa-mv88e6xxx',
    ),
    ...added(
      '25.12.0-rc1',
      'mvebu/cortexa53',
      [
        'glinet_gl-mv1000',
        'globalscale_espressobin',
        'globalscale_espressobin-emmc',
        'globalscale_espressobin-ultra',
        'globalscale_espressobin-v7',
        'globalscale_espressobin-v7-emmc',
        'methode_udpu',
      ],
      'kmod-dsa-mv88e6xxx',
    ),
    ...added(
      '25.12.0',
      'mvebu/cortexa72',
      ['checkpoint_v-80', 'checkpoint_v-81', 'globalscale_mochabin', 'mikrotik_rb5009', 'solidrun_clearfog-pro'],
      'kmod-dsa-mv88e6xxx',
    ),
    ...added('25.12.0', 'mvebu/cortexa72', ['marvell_armada8040-db']),
    ...added('25.12.0', 'lantiq/xrx200', ['any'], 'kmod-dsa-gswip'),
    ...added(
      '25.12.0',
      'lantiq/xrx200',
      [
        'arcadyan_arv7519rw22',
        'arcadyan_vgv7510kw22-brn',
        'arcadyan_vgv7510kw22-nor',
        'avm_fritz7412',
        'avm_fritz7430',
        'buffalo_wbmr-300hpd',
      ],
      'kmod-dsa-gswip',
      ...phy('phy22f'),
    ),
    ...added(
      '25.12.0',
      'lantiq/xrx200',
      [
        'tplink_vr200',
        'tplink_vr200v',
        'arcadyan_vgv7519-brn',
        'arcadyan_vgv7519-nor',
        'arcadyan_vrv9510kwac23',
        'avm_fritz3370-rev2-hynix',
        'avm_fritz3370-rev2-micron',
        'avm_fritz3390',
        'avm_fritz3490',
        'avm_fritz3490-micron',
        'avm_fritz5490',
        'avm_fritz5490-micron',
        'avm_fritz7360sl',
        'avm_fritz7360-v2',
        'avm_fritz7362sl',
        'avm_fritz7490',
        'avm_fritz7490-micron',
        'bt_homehub-v5a',
        'lantiq_easy80920-nand',
        'lantiq_easy80920-nor',
        'zyxel_p-2812hnu-f1',
        'zyxel_p-2812hnu-f3',
      ],
      'kmod-dsa-gswip',
      ...phy('phy11g'),
    ),
    ...added('25.12.0', 'lantiq/xrx200_legacy', ['any'], 'kmod-dsa-gswip'),
    ...added('25.12.0', 'lantiq/xrx200_legacy', ['alphanetworks_asl56026', 'netgear_dm200'], 'kmod-dsa-gswip', ...phy('phy22f')),
    ...added(
      '25.12.0',
      'lantiq/xrx200_legacy',
      ['tplink_tdw8970', 'tplink_tdw8980', 'arcadyan_vg3503j'],
      'kmod-dsa-gswip',
      ...phy('phy11g'),
    ),
    ...added('25.12.0', 'bcm53xx/generic', ['meraki_mr32'], 'kmod-hci-uart'),
    ...added('25.12.0', 'ipq40xx/generic', ['linksys_whw03', 'linksys_whw03v2'], 'kmod-hci-uart'),
    ...added('25.12.0', 'ipq40xx/generic', ['meraki_mr32']),
    ...added('25.12.0', 'qualcommax/ipq807x', ['linksys_mx4200v1', 'linksys_mx8500', 'zyxel_nbg7815'], 'kmod-hci-uart'),
    ...added('25.12.0', 'ath79/mikrotik', ['any'], 'kmod-ag71xx-legacy'),
    ...added('24.10.0', 'ath79/mikrotik', ['any']),
    ...added('SNAPSHOT', 'ath79/mikrotik', ['any']),
    // SNAPSHOT
    ['SNAPSHOT', 'x86/64', 'generic', ['kmod-lib-crc32c', 'a', 'kmod-nf-conntrack6', 'kmod-nf-conntrack'], ['a', 'kmod-nf-conntrack']],
    ['25.12-SNAPSHOT', 'x86/64', 'generic', ['kmod-nf-conntrack6', 'kmod-lib-crc32c'], ['kmod-nf-conntrack6', 'kmod-lib-crc32c']],
    // language packs
    ...['24.10.0-rc5', '24.10', '25.12.0', 'SNAPSHOT'].map(
      (version) =>
        [
          version,
          'x86/64',
          'generic',
          ['luci-i18n-opkg-de', 'a', 'luci-i18n-opkg-pt-br'],
          ['luci-i18n-package-manager-de', 'a', 'luci-i18n-package-manager-pt-br'],
        ] as const,
    ),
    ['23.05.5', 'x86/64', 'generic', ['luci-i18n-opkg-de'], ['luci-i18n-opkg-de']],
    ...['21.02.0', '23.05.5', '24.10.0', 'SNAPSHOT'].map(
      (version) =>
        [
          version,
          'x86/64',
          'generic',
          ['luci-i18n-base-en', 'b-en', 'luci-i18n-opkg-en', 'luci-i18n-base-en-gb'],
          ['b-en', 'luci-i18n-base-en-gb'],
        ] as const,
    ),
    // The published table is for clients; without `from_version` the server does not apply it.
    ['24.10.0', 'x86/64', 'generic', ['firewall', 'luci-app-opkg', 'kmod-nft-nat6'], ['firewall', 'luci-app-opkg', 'kmod-nft-nat6']],
    ['25.12.0', 'x86/64', 'generic', ['opkg', 'wpad-basic-wolfssl'], ['opkg', 'wpad-basic-wolfssl']],
  ];

  it.each(rows)('%s %s %s %j → %j', (version, target, profile, packages, expected) => {
    expect(packagesOf({ version, target, profile, packages })).toEqual(expected);
  });
});

/** The cases of the reference server's tests/test_package_changes.py. */
describe('the reference server’s own cases', () => {
  it('does not add what is there', () => {
    const input = { version: '23.05', target: 'ath79/generic', profile: 'buffalo_wzr-hp-g300nh-s', packages: ['kmod-switch-rtl8366s'] };
    expect(resolvePackages(ask(input))).toEqual({ packages: ['kmod-switch-rtl8366s'], packagesVersions: {}, changes: [] });
  });

  it('leaves 21.02 alone', () => {
    expect(packagesOf({ version: '21.02.0-rc1', packages: ['kmod-b', 'auc', 'a'] })).toEqual(['kmod-b', 'auc', 'a']);
  });

  it('drops English on 23.05 and renames opkg on 24.10, order kept', () => {
    const packages = ['luci-i18n-opkg-ko', 'luci-i18n-opkg-en', 'luci-i18n-base-zh-cn', 'luci-i18n-xinetd-lt', 'luci-i18n-xinetd-en'];
    const old = packagesOf({ version: '23.05.5', target: 'mediatek/mt7622', profile: 'foobar', packages });
    expect(old).toEqual(['luci-i18n-opkg-ko', 'luci-i18n-base-zh-cn', 'luci-i18n-xinetd-lt', 'kmod-mt7622-firmware']);
    const current = packagesOf({ version: '24.10.0-rc5', target: 'mediatek/mt7622', profile: 'foobar', packages: old });
    expect(current).toEqual([
      'luci-i18n-package-manager-ko',
      'luci-i18n-base-zh-cn',
      'luci-i18n-xinetd-lt',
      'kmod-mt7622-firmware',
      'fitblk',
    ]);
  });
});

describe('changes', () => {
  it('list what was done and why, in the order of the rules', () => {
    const { packages, changes } = resolvePackages(
      ask({ target: 'mediatek/filogic', packages: ['luci-i18n-opkg-de', 'luci-i18n-base-en', 'auc'] }),
    );
    expect(packages).toEqual(['luci-i18n-package-manager-de', 'owut', 'fitblk']);
    expect(changes).toEqual([
      {
        type: 'migration',
        action: 'replace',
        from_package: 'auc',
        to_package: 'owut',
        reason: expect.stringMatching(/24\.10.*owut.*auc/),
        automatic: true,
      },
      { type: 'addition', action: 'add', package: 'fitblk', reason: expect.stringMatching(/24\.10.*fitblk/), automatic: true },
      {
        type: 'migration',
        action: 'replace',
        from_package: 'luci-i18n-opkg-de',
        to_package: 'luci-i18n-package-manager-de',
        reason: expect.stringMatching(/24\.10.*luci-app-package-manager/),
        automatic: true,
      },
      { type: 'removal', action: 'remove', package: 'luci-i18n-base-en', reason: expect.stringMatching(/English/), automatic: true },
    ]);
  });

  it('are a removal when the successor was requested too', () => {
    const { packages, changes } = resolvePackages(ask({ packages: ['owut', 'auc', 'luci-i18n-package-manager-de', 'luci-i18n-opkg-de'] }));
    expect(packages).toEqual(['owut', 'luci-i18n-package-manager-de']);
    expect(changes.map(({ type, ...change }) => [type, 'package' in change && change.package])).toEqual([
      ['removal', 'auc'],
      ['removal', 'luci-i18n-opkg-de'],
    ]);
  });

  it('respect what the request removes', () => {
    expect(packagesOf({ target: 'mediatek/filogic', packages: ['-fitblk', '-auc'] })).toEqual(['-fitblk', '-auc']);
    expect(resolvePackages(ask({ packages: ['auc', '-owut'] }))).toMatchObject({
      packages: ['-owut'],
      changes: [{ type: 'removal', package: 'auc' }],
    });
    expect(packagesOf({ version: 'SNAPSHOT', packages: ['-kmod-nf-conntrack6', '-luci-i18n-base-en'] })).toEqual([
      '-kmod-nf-conntrack6',
      '-luci-i18n-base-en',
    ]);
  });
});

describe('packages_versions', () => {
  it('names the packages and follows them', () => {
    const resolved = resolvePackages(
      ask({
        target: 'mediatek/filogic',
        packages: ['ignored'],
        packagesVersions: { 'luci-i18n-opkg-de': '1', auc: '0.3.2-1', luci: '25', 'luci-i18n-base-en': '2' },
      }),
    );
    expect(resolved.packages).toEqual(['luci-i18n-package-manager-de', 'luci', 'owut', 'fitblk']);
    expect(Object.entries(resolved.packagesVersions)).toEqual([
      ['luci-i18n-package-manager-de', ''],
      ['luci', '25'],
      ['owut', ''],
    ]);
  });

  it('keeps the version requested for a successor', () => {
    const { packagesVersions } = resolvePackages(ask({ packagesVersions: { auc: '0.3.2-1', owut: '2026.04' } }));
    expect(packagesVersions).toEqual({ owut: '2026.04' });
  });
});

describe('from_version', () => {
  const old = ['firewall', 'wpad-basic-wolfssl', 'kmod-nft-nat6', 'auc', 'luci-app-opkg', 'luci-i18n-opkg-de', 'opkg'];
  it.each([
    ['21.02.7', '22.03.7', ['wpad-basic-wolfssl', 'kmod-nft-nat6', 'auc', 'luci-app-opkg', 'luci-i18n-opkg-de', 'opkg', 'firewall4']],
    ['22.03.7', '23.05.5', ['firewall', 'auc', 'luci-app-opkg', 'luci-i18n-opkg-de', 'opkg', 'wpad-basic-mbedtls']],
    [
      '23.05.5',
      '24.10.2',
      ['firewall', 'wpad-basic-wolfssl', 'kmod-nft-nat6', 'luci-i18n-package-manager-de', 'opkg', 'owut', 'luci-app-package-manager'],
    ],
    ['24.10.2', '25.12.0', ['firewall', 'wpad-basic-wolfssl', 'kmod-nft-nat6', 'auc', 'luci-app-opkg', 'luci-i18n-opkg-de', 'apk-mbedtls']],
    [
      '19.07.10',
      'SNAPSHOT',
      ['luci-i18n-package-manager-de', 'firewall4', 'wpad-basic-mbedtls', 'owut', 'luci-app-package-manager', 'apk-mbedtls'],
    ],
    ['24.10.0', '24.10.2', old],
    ['24.10-SNAPSHOT', '24.10.0', old],
    ['SNAPSHOT', 'SNAPSHOT', old],
    ['25.12.0', '24.10.2', old],
    ['SNAPSHOT', '23.05.5', old],
  ])('%s → %s', (fromVersion, version, expected) => {
    expect(packagesOf({ fromVersion, version, packages: old })).toEqual(expected);
  });

  it.each(['', 'unknown', '24'])('treats %j as unknown and applies the rules as without it', (fromVersion) => {
    expect(packagesOf({ fromVersion, packages: ['auc', 'firewall'] })).toEqual(packagesOf({ packages: ['auc', 'firewall'] }));
  });

  it('does not touch what the new version itself needs', () => {
    const input = { target: 'mediatek/filogic', packages: ['luci-i18n-base-en'], fromVersion: '24.10.0' };
    expect(packagesOf(input)).toEqual(['fitblk']);
    expect(packagesOf({ version: 'SNAPSHOT', packages: ['kmod-nf-conntrack6'], fromVersion: 'SNAPSHOT' })).toEqual([]);
  });
});

describe('an upgrade over several branches', () => {
  it('lists what was added last, so that resolving the list with its versions again gives the same', () => {
    const upgrade = ask({ target: 'mediatek/mt7622', fromVersion: '23.05.5', packagesVersions: { 'luci-app-opkg': '1' } });
    const once = resolvePackages(upgrade);
    expect(once.packages).toEqual(['luci-app-package-manager', 'kmod-mt7622-firmware', 'fitblk']);
    expect(resolvePackages({ ...upgrade, packagesVersions: once.packagesVersions }).packages).toEqual(once.packages);
  });

  const rename = (id: string, from: string, to: string, introducedIn: string): PackageRule => ({
    id,
    action: { kind: 'replace', from, to },
    introducedIn,
    reason: `Since ${introducedIn} ${to} has replaced ${from}.`,
  });

  it('follows a package through all its names, in the order of the branches and not of the table', () => {
    const rules = [rename('second', 'b', 'c', '24.10'), rename('first', 'a', 'b', '23.05')];
    const upgrade = ask({ fromVersion: '22.03.7', packages: ['a', 'luci'] });
    const { packages, changes } = resolvePackages(upgrade, rules);
    expect(packages).toEqual(['luci', 'c']);
    expect(changes).toMatchObject([
      { from_package: 'a', to_package: 'b' },
      { from_package: 'b', to_package: 'c' },
    ]);
  });

  it('gets what was split off in a branch on the way', () => {
    const upgrade = { target: 'mediatek/mt7622', packages: ['luci'] };
    for (const fromVersion of ['22.03.7', '23.05.5'])
      expect(packagesOf({ ...upgrade, fromVersion })).toEqual(['luci', 'kmod-mt7622-firmware', 'fitblk']);
    expect(packagesOf({ ...upgrade, fromVersion: '24.10.0' })).toEqual(['luci', 'fitblk']);
    expect(packagesOf(upgrade)).toEqual(['luci', 'fitblk']);
    expect(packagesOf({ ...upgrade, target: 'x86/64', fromVersion: '22.03.7' })).toEqual(['luci']);
    expect(packagesOf({ ...upgrade, packages: ['-kmod-mt7622-firmware'], fromVersion: '22.03.7' })).toEqual([
      '-kmod-mt7622-firmware',
      'fitblk',
    ]);
  });

  it('does not get what the new version no longer has', () => {
    const upgrade = { target: 'mediatek/mt7622', packages: ['luci'], fromVersion: '22.03.7' };
    expect(packagesOf({ ...upgrade, isOffered: (name) => name !== 'kmod-mt7622-firmware' })).toEqual(['luci', 'fitblk']);
    // What a rule of the version itself adds is built or refused, as the reference server does.
    expect(packagesOf({ ...upgrade, isOffered: () => false })).toEqual(['luci', 'fitblk']);
  });
});

describe('for any request', () => {
  const mentioned = PACKAGE_RULES.flatMap(({ action }) => {
    if (action.kind === 'add') return action.packages;
    if (action.kind === 'remove') return [action.package];
    if (action.kind === 'replace') return [action.from, action.to];
    if (action.kind === 'replace-prefix') return [`${action.from}de`, `${action.to}de`, `${action.from}en`];
    return [`${action.prefix}x${action.suffix}`];
  });
  const name = fc
    .tuple(fc.constantFrom('', '', '', '-'), fc.constantFrom(...mentioned, 'luci', 'vim'))
    .map(([minus, word]) => minus + word);
  const version = fc.constantFrom('SNAPSHOT', '25.12.0', '24.10.2', '24.10-SNAPSHOT', '23.05.5', '22.03.0-rc1', '21.02.7');
  const scopes = PACKAGE_RULES.flatMap(({ appliesTo }) => (appliesTo?.targets ? [appliesTo] : []));
  const device = fc
    .constantFrom(...scopes)
    .chain((scope) =>
      fc.record({ target: fc.constantFrom(...(scope.targets ?? [])), profile: fc.constantFrom(...(scope.profiles ?? ['any'])) }),
    );
  const input: fc.Arbitrary<ResolvePackagesInput> = fc
    .tuple(
      device,
      fc.record({
        version,
        fromVersion: fc.option(version, { nil: undefined }),
        packages: fc.array(name, { maxLength: 12 }),
        packagesVersions: fc.oneof(fc.constant({}), fc.dictionary(name, fc.constantFrom('', '1'), { maxKeys: 8 })),
      }),
    )
    .map(([asked, rest]) => ({ ...asked, ...rest }));

  it('resolving twice is resolving once', () => {
    fc.assert(
      fc.property(input, (request) => {
        const once = resolvePackages(request);
        const twice = resolvePackages({ ...request, packages: once.packages, packagesVersions: once.packagesVersions });
        expect(twice.packages).toEqual(once.packages);
        expect(Object.entries(twice.packagesVersions)).toEqual(Object.entries(once.packagesVersions));
      }),
      { numRuns: 500 },
    );
  });

  it('an upgrade in steps is the upgrade at once', () => {
    const steps = fc.uniqueArray(version, { minLength: 2, maxLength: 7 }).map((versions) => versions.sort(compareVersions).reverse());
    fc.assert(
      fc.property(input, steps, (request, versions) => {
        const upgrade = (packages: readonly string[], fromVersion: string | undefined, to: string | undefined) =>
          resolvePackages({ ...request, packages, packagesVersions: {}, fromVersion, version: to ?? '' }).packages;
        const stepwise = versions
          .slice(1)
          .reduce((packages: readonly string[], to, index) => upgrade(packages, versions[index], to), request.packages);
        expect(stepwise.toSorted()).toEqual(upgrade(request.packages, versions[0], versions.at(-1)).toSorted());
      }),
      { numRuns: 2_000 },
    );
  });

  it('no package is gone or new without a change that says so, and no change is about anything else', () => {
    fc.assert(
      fc.property(input, (request) => {
        const { packages, packagesVersions, changes } = resolvePackages(request);
        const versioned = Object.keys(request.packagesVersions);
        const list = new Set(versioned.length > 0 ? versioned : request.packages);
        for (const change of changes) {
          const gone = change.type === 'migration' ? change.from_package : change.type === 'removal' ? change.package : undefined;
          const come = change.type === 'migration' ? change.to_package : change.type === 'addition' ? change.package : undefined;
          if (gone !== undefined) expect(list.delete(gone)).toBe(true);
          if (come !== undefined) expect(list.has(come)).toBe(false);
          if (come !== undefined) list.add(come);
        }
        expect(packages.toSorted()).toEqual([...list].sort());
        for (const [name, required] of Object.entries(request.packagesVersions))
          if (packages.includes(name)) expect(packagesVersions).toHaveProperty([name], required);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves the input alone, repeats nothing and keeps the order of what it keeps', () => {
    fc.assert(
      fc.property(input, (request) => {
        const before = structuredClone(request);
        const { packages, packagesVersions, changes } = resolvePackages(request);
        expect(request).toEqual(before);
        expect(new Set(packages).size).toBe(packages.length);
        const versioned = Object.keys(request.packagesVersions);
        const asked = [...new Set(versioned.length > 0 ? versioned : request.packages)];
        const touched = new Set(
          changes.flatMap((change) => ('package' in change ? [change.package] : [change.from_package, change.to_package])),
        );
        expect(packages.filter((kept) => !touched.has(kept))).toEqual(asked.filter((kept) => !touched.has(kept)));
        for (const key of Object.keys(packagesVersions)) expect(packages).toContain(key);
        for (const change of changes)
          if (change.type === 'addition') {
            expect(asked).not.toContain(`-${change.package}`);
            expect(packagesVersions).not.toHaveProperty([change.package]);
          }
      }),
      { numRuns: 500 },
    );
  });
});
