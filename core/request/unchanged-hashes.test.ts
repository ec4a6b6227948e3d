import { expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, TargetRecord } from '#core/catalogue/catalogue.ts';
import { buildRequestParser } from './parse-build-request.ts';
import { prepareBuild } from './prepare-build.ts';

const record = (version: string, target: string): TargetRecord => ({
  version,
  target,
  versionPath: `releases/${version}`,
  arch: 'mips_24kc',
  revision: `r1-${version}`,
  defaultPackages: ['base-files', 'dnsmasq', 'dropbear', '-ppp', 'firewall4'],
  profiles: { device: { id: 'device', devicePackages: ['kmod-usb2', '~blob', '-odhcpd'], supportedDevices: ['maker,device'], raw: {} } },
  metadata: {},
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) },
  indexes: { [`releases/${version}/packages/mips_24kc/base/Packages`]: 'b'.repeat(64) },
  fetchedAt: '2026-11-01T00:00:00.000Z',
});
const catalogue: Catalogue = {
  versions: async () => ({ list: ['22.03.7', '23.05.5', '24.10.2', '25.12.0'] }),
  hasVersion: async () => true,
  hasArch: async () => true,
  targets: async () => ({ 'ath79/generic': 'mips_24kc', 'mediatek/mt7622': 'mips_24kc' }),
  target: async (version, _path, target) => record(version, target),
  packages: async () => undefined,
  feeds: async () => ({}),
};
const policy = { allowDefaults: true, repositoryAllowList: ['https://example.org/'], branches: DEFAULT_BRANCHES };
const ATH79 = { version: '24.10.2', target: 'ath79/generic', profile: 'device' };

/** Recorded from the server before `honor_defaults` was a field of a request. */
it.each([
  ['e5c8257e563c6444fda32d272d6cb6fc23a0e673c4281b8363df1f610f4cb4b1', { ...ATH79 }],
  ['350961a656f1056eff848ef3812a1f9945d7925644e752c36fe6ff3d28d5df53', { ...ATH79, packages: ['vim', 'auc', '-ppp', 'luci-i18n-opkg-de'] }],
  [
    'f7c0e43e805443433581ae130d3046d5efde9034391e8d83841b3e30b1370582',
    { ...ATH79, profile: 'maker,device', packages: ['+tmux', 'vim'], diff_packages: true },
  ],
  [
    '3d3f126debaf19218d9c1a461963a93b83944e0ceee007f7a62198b13c37dea8',
    { ...ATH79, packages: ['base-files', 'dropbear', '-firewall4'], diff_packages: 'yes', from_version: '24.10.0' },
  ],
  [
    '4f806898e83e8307be1fde8cea2dab955645ae798804270988dd947843a846c7',
    { ...ATH79, packages: ['firewall', 'auc', 'opkg', 'kmod-nft-nat6'], from_version: '21.02.7' },
  ],
  [
    '752f827887f5da1193b230b3c9311ca4d6aa6a97a113f622e177878bcc5eb21a',
    { ...ATH79, packages_versions: { auc: '1', vim: '9.1-r1' }, diff_packages: true, from_version: '23.05.5' },
  ],
  ['ff368e03bf8380c70ace0d5b0a8ac63eee9ccfaa244a84175e0867895bbe8163', { ...ATH79, target: 'mediatek/mt7622', packages: ['luci'] }],
  [
    'd3852acdf4ef37e5911ad98e274d533ab53885dfacb735e9cdf3251fe76cbae3',
    { ...ATH79, packages: ['vim'], rootfs_size_mb: 128, filesystem: 'squashfs', defaults: 'echo', client: 'owut/1' },
  ],
  [
    '4f9f37dc9abb8eaef36fada79443965e14384876819ffa6c20f8fc8f4df750b8',
    { ...ATH79, packages: ['vim'], repositories: { own: 'https://example.org/own' }, repository_keys: [] },
  ],
])('is %s for a request without new fields: %j', async (hash, body) => {
  expect((await prepareBuild({ catalogue, policy }, buildRequestParser()(body))).hash).toBe(hash);
});

it('is the same for a client that skips the resolution', async () => {
  const request = buildRequestParser()({ ...ATH79, packages: ['auc', 'vim'], diff_packages: true, from_version: '23.05.5' });
  expect((await prepareBuild({ catalogue, policy }, request, { skipResolution: true })).hash).toBe(
    '6f2424ee696e7de2992af4eb0041155d6847edee8312047ef0436ff95f2e4b8b',
  );
});
