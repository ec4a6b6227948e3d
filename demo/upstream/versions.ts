/** One published version of the demo's OpenWrt. */
export interface DemoVersion {
  version: string;
  branch: Branch;
  /** The path below the root: `releases/24.10.2` or `snapshots`. */
  path: string;
  revision: string;
  manager: 'opkg' | 'apk';
  kernel: { version: string; release: string; vermagic: string };
  /** The letter before a package's release: `2.90-3` (up to 23.05) or `2.90-r3`. */
  revisionPrefix: '' | 'r';
  baseFilesRelease: string;
  luciVersion: string;
  sourceDateEpoch: number;
  /** The form of index.json: names include the ABI version (1) or not (2). */
  indexVersion: 1 | 2;
  tarball: 'xz' | 'zst';
  /** Whether kernel modules are in kmods/<version>-<release>-<vermagic>/ instead of packages/. */
  kmodsApart: boolean;
  /** Whether ImageBuilder knows ROOTFS_FILESYSTEM, which it does since May 2026. */
  rootfsFilesystem: boolean;
  targets: readonly string[];
}

/** The branches from oldest to newest. A package's `since` and `until` follow this order. */
export const branches = ['23.05', '24.10', '25.12', 'SNAPSHOT'] as const;
export type Branch = (typeof branches)[number];

const allTargets = ['x86/64', 'ath79/generic', 'mediatek/filogic'] as const;

const branch2305 = {
  branch: '23.05',
  manager: 'opkg',
  revisionPrefix: '',
  indexVersion: 1,
  tarball: 'xz',
  kmodsApart: false,
  rootfsFilesystem: false,
} as const;
const branch2410 = {
  branch: '24.10',
  manager: 'opkg',
  revisionPrefix: 'r',
  tarball: 'zst',
  kmodsApart: true,
  rootfsFilesystem: false,
} as const;
const branchApk = { manager: 'apk', revisionPrefix: 'r', indexVersion: 2, tarball: 'zst', kmodsApart: true } as const;

/** Every version that the demo upstream publishes. */
export const demoVersions: readonly DemoVersion[] = [
  {
    ...branch2305,
    version: '23.05.4',
    path: 'releases/23.05.4',
    revision: 'r24012-d8dd03c46f',
    kernel: { version: '5.15.162', release: '1', vermagic: '6a20a4a2f5e2ae8a8f8d4f1e2c73b6d1' },
    baseFilesRelease: '1559-r24012-d8dd03c46f',
    luciVersion: 'git-24.086.45142-09d5a38',
    sourceDateEpoch: 1_720_714_155,
    targets: ['x86/64'],
  },
  {
    ...branch2305,
    version: '23.05.5',
    path: 'releases/23.05.5',
    revision: 'r24106-10cc5fcd00',
    kernel: { version: '5.15.167', release: '1', vermagic: '03ba5b5fee47f2232a088e3cd9832aec' },
    baseFilesRelease: '1562-r24106-10cc5fcd00',
    luciVersion: 'git-24.264.56413-c7a3562',
    sourceDateEpoch: 1_727_093_124,
    targets: allTargets,
  },
  {
    ...branch2410,
    version: '24.10.0-rc6',
    path: 'releases/24.10.0-rc6',
    revision: 'r28388-58d0057481',
    kernel: { version: '6.6.69', release: '1', vermagic: '2d3fb5d2e7c5a1b0c4f6e7d8a9b0c1d2' },
    baseFilesRelease: '1642~58d0057481',
    luciVersion: '25.011.40226~3ee0d4b',
    sourceDateEpoch: 1_736_880_000,
    indexVersion: 1,
    targets: ['x86/64'],
  },
  {
    ...branch2410,
    version: '24.10.0',
    path: 'releases/24.10.0',
    revision: 'r28427-6df0e3d02a',
    kernel: { version: '6.6.73', release: '1', vermagic: '1dd3b0c1b9e5d2a8c5a1e9c2f0a3b4d5' },
    baseFilesRelease: '1644~6df0e3d02a',
    luciVersion: '25.014.55016~7046a1c',
    sourceDateEpoch: 1_738_624_177,
    indexVersion: 1,
    targets: allTargets,
  },
  {
    ...branch2410,
    version: '24.10.2',
    path: 'releases/24.10.2',
    revision: 'r28739-d9340319c6',
    kernel: { version: '6.6.93', release: '1', vermagic: 'a5b6c7d8e9f00112233445566778899a' },
    baseFilesRelease: '1648~d9340319c6',
    luciVersion: '25.160.12345~abcdef0',
    sourceDateEpoch: 1_750_711_236,
    indexVersion: 2,
    targets: allTargets,
  },
  {
    ...branch2410,
    version: '24.10-SNAPSHOT',
    path: 'releases/24.10-SNAPSHOT',
    revision: 'r28904-4d7a0e1c52',
    kernel: { version: '6.6.110', release: '1', vermagic: 'b7e1d2c3f4a5968778695a4b3c2d1e0f' },
    baseFilesRelease: '1652~4d7a0e1c52',
    luciVersion: '25.280.40112~5e2f6aa',
    sourceDateEpoch: 1_759_881_600,
    indexVersion: 2,
    targets: ['x86/64'],
  },
  {
    ...branchApk,
    branch: '25.12',
    version: '25.12.0',
    path: 'releases/25.12.0',
    revision: 'r32713-f91a7c30e2',
    kernel: { version: '6.12.71', release: '1', vermagic: 'c0ffee5d2a7be8f90123456789abcdef' },
    baseFilesRelease: '1702~f91a7c30e2',
    luciVersion: '26.057.31245~2f1c1b9',
    sourceDateEpoch: 1_772_236_800,
    rootfsFilesystem: false,
    targets: allTargets,
  },
  {
    ...branchApk,
    branch: 'SNAPSHOT',
    version: 'SNAPSHOT',
    path: 'snapshots',
    revision: 'r34567-9e8d7c6b5a',
    kernel: { version: '6.18.8', release: '1', vermagic: 'd00dfeed0123456789abcdef01234567' },
    baseFilesRelease: '1790~9e8d7c6b5a',
    luciVersion: '26.301.52011~c4b7d10',
    sourceDateEpoch: 1_793_404_800,
    rootfsFilesystem: true,
    targets: allTargets,
  },
];

/** The content of `/.versions.json`. */
export const publishedVersions = {
  stable_version: '25.12.0',
  oldstable_version: '24.10.2',
  upcoming_version: '',
  versions_list: ['25.12.0', '24.10.2', '24.10.0', '24.10.0-rc6', '23.05.5', '23.05.4'],
};
