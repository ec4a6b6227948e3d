import { answer, json } from '../answer.ts';
import { shared } from '../errors.ts';
import { pathParameter } from '../parameter.ts';
import { ArchitectureIndex, BranchList, Latest, Overview, Profile, Revision, TargetIndex } from '../schemas/catalogue.ts';

const branch = {
  path: 'releases/{version}',
  enabled: true,
  snapshot: false,
  path_packages: 'DEPRECATED',
  branch_off_rev: 27990,
  package_changes: [{ source: 'auc', target: 'owut', revision: 26792 }],
  versions: ['24.10.2', '24.10.1', '24.10.0'],
  name: '24.10',
  targets: { 'ath79/generic': 'mips_24kc', 'x86/64': 'x86_64' },
};
const latest = ['25.12.0', '24.10.2'];
const overview = {
  latest,
  branches: { '24.10': { ...branch, imagebuilders: { 'x86/64': { version: '24.10.2', revision: 'r28739-d9340319c6', available: true } } } },
  upstream_url: 'https://downloads.openwrt.org',
  server: {
    version: '0.1.0',
    contact: '',
    allow_defaults: false,
    repository_allow_list: [],
    max_custom_rootfs_size_mb: 1024,
    max_defaults_length: 20480,
  },
};

const distro = pathParameter('distro', 'A distribution besides OpenWrt that this server has.', 'immortalwrt');
const version = pathParameter('version', 'A version that has its own path.', '24.10.2');
const target = pathParameter('target', 'The first half of the target.', 'ath79');
const subtarget = pathParameter('subtarget', 'The second half of the target.', 'generic');
const profile = pathParameter('profile', 'The profile, exactly as upstream names it.', '8dev_carambola2', { pattern: '^(?!index$)[^/]+$' });
const arch = pathParameter('arch', 'The package architecture.', 'mips_24kc');

const unavailable = shared({ 503: 'Unavailable' });
const unknown = shared({ 404: 'NotFound', 503: 'Unavailable' });

const overviewOperation = (operationId: string, summary: string) => ({
  get: {
    operationId,
    tags: ['catalogue'],
    summary,
    responses: { 200: json('Versions, branches, targets, and what this server allows.', Overview, { overview }), ...unavailable },
  },
});

/** The documents of another distribution: the same as OpenWrt's, and 404 where the server does not have it. */
const ofDistro = (name: string, operationId: string, summary: string, found: object) => ({
  [`/json/v1/distros/{distro}/${name}.json`]: {
    get: { operationId, tags: ['catalogue'], summary, parameters: [distro], responses: { 200: found, ...unknown } },
  },
});

/** The same three documents for a path of versions: releases name theirs, the main line has none. */
const versionPaths = (base: string, suffix: string, more: readonly object[]) => ({
  [`${base}/targets/{target}/{subtarget}/index.json`]: {
    get: {
      operationId: `getTargetIndex${suffix}`,
      tags: ['catalogue'],
      summary: 'Packages of a target, with its kernel modules',
      parameters: [...more, target, subtarget],
      responses: {
        200: json('Package → version, as in the manifest.', TargetIndex, {
          index: { architecture: 'mips_24kc', packages: { 'base-files': '1648~d9340319c6', 'kmod-ath9k': '6.6.93-r1' } },
        }),
        ...unknown,
      },
    },
  },
  [`${base}/targets/{target}/{subtarget}/{profile}.json`]: {
    get: {
      operationId: `getProfile${suffix}`,
      tags: ['catalogue'],
      summary: 'One profile',
      parameters: [...more, target, subtarget, profile],
      responses: {
        200: json('The profile, or `{}` if the target has none of this name.', Profile, {
          profile: {
            arch_packages: 'mips_24kc',
            default_packages: ['base-files', 'busybox', 'dnsmasq'],
            target: 'ath79/generic',
            version_code: 'r28739-d9340319c6',
            version_number: '24.10.2',
            device_packages: ['kmod-usb-chipidea2'],
            images: [{ name: 'openwrt-24.10.2-ath79-generic-8dev_carambola2-squashfs-sysupgrade.bin', type: 'sysupgrade' }],
            supported_devices: ['8dev,carambola2', 'carambola2'],
            titles: [{ vendor: '8devices', model: 'Carambola2' }],
            id: '8dev_carambola2',
            build_at: '2025-06-23T20:40:36.000000Z',
          },
        }),
        ...unknown,
      },
    },
  },
  [`${base}/packages/{arch}-index.json`]: {
    get: {
      operationId: `getArchitectureIndex${suffix}`,
      tags: ['catalogue'],
      summary: 'Packages of all feeds of an architecture',
      parameters: [...more, arch],
      responses: {
        200: json('Package → version.', ArchitectureIndex, { index: { luci: '25.175.34281~b8c3d80', vim: '9.1.1375-r1' } }),
        ...unknown,
      },
    },
  },
});

/** Versions, targets, profiles and packages. */
export const cataloguePaths = {
  '/json/v1/overview.json': overviewOperation('getOverview', 'Everything this server offers'),
  '/api/v1/overview': overviewOperation('getOverviewOfApi', 'The same'),
  '/json/v1/branches.json': {
    get: {
      operationId: 'getBranches',
      tags: ['catalogue'],
      summary: 'Branches, in the order of the server',
      responses: { 200: json('Branches.', BranchList, { branches: [branch] }), ...unavailable },
    },
  },
  '/json/v1/latest.json': {
    get: {
      operationId: 'getLatest',
      tags: ['catalogue'],
      summary: 'Newest versions',
      responses: { 200: json('The upcoming, stable and old stable version.', Latest, { latest: { latest } }), ...unavailable },
    },
  },
  '/api/v1/latest': {
    get: {
      operationId: 'getLatestOfApi',
      tags: ['catalogue'],
      summary: 'The same at another path',
      responses: { 301: answer('At `/json/v1/latest.json`.', { headers: ['Location'] }), ...shared({}) },
    },
  },
  '/api/v1/revision/{version}/{target}/{subtarget}': {
    get: {
      operationId: 'getRevision',
      tags: ['catalogue'],
      summary: 'The current revision of upstream',
      parameters: [pathParameter('version', 'The version; SNAPSHOT is one too.', '24.10.2'), target, subtarget],
      responses: {
        200: json('The revision.', Revision, { revision: { revision: 'r28739-d9340319c6' } }),
        ...shared({ 400: 'BadRequest', 404: 'NotFound', 503: 'Unavailable' }),
      },
    },
  },
  ...versionPaths('/json/v1/releases/{version}', '', [version]),
  ...versionPaths('/json/v1/snapshots', 'OfSnapshots', []),
  ...ofDistro(
    'overview',
    'getOverviewOfDistro',
    'Everything this server offers of another distribution',
    json('Versions, branches, targets, and what this server allows.', Overview, { overview }),
  ),
  ...ofDistro('branches', 'getBranchesOfDistro', 'Its branches', json('Branches.', BranchList, { branches: [branch] })),
  ...ofDistro(
    'latest',
    'getLatestOfDistro',
    'Its newest versions',
    json('The upcoming, stable and old stable version.', Latest, { latest: { latest } }),
  ),
  ...versionPaths('/json/v1/distros/{distro}/releases/{version}', 'OfDistro', [distro, version]),
  ...versionPaths('/json/v1/distros/{distro}/snapshots', 'OfSnapshotsOfDistro', [distro]),
};
