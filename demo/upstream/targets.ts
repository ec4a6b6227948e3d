import { type Branch, branches, type DemoVersion } from './versions.ts';

/** One device of a target. */
export interface DemoProfile {
  id: string;
  vendor: string;
  model: string;
  variant?: string;
  packages: string[];
  supportedDevices: string[];
  /** One entry per image: `<file system or -> <end of the file name>`. */
  images: string[];
  /** The largest image in bytes; a larger one is "too big". */
  imageSize?: number;
}

/** One target. */
export interface DemoTarget {
  id: string;
  arch: string;
  /** The architecture that `make info` prints, which is that of the CPU and not that of the packages. */
  cpu: string;
  defaultPackages: (version: DemoVersion) => string[];
  profiles: (version: DemoVersion) => DemoProfile[];
  filesystems: readonly ('squashfs' | 'ext4' | 'targz')[];
  rootfsPartsize: number;
  /** Names of the packages that exist for the target; absent: all packages of the demo. */
  publishes?: readonly string[];
  /** The size of the kernel in blocks of 32 bytes; absent: 48 KiB. */
  kernelBlocks?: number;
}

const isAtLeast = (version: DemoVersion, since: Branch) => branches.indexOf(version.branch) >= branches.indexOf(since);

const commonDefaults = (version: DemoVersion) => [
  'base-files',
  'ca-bundle',
  'dropbear',
  'fstools',
  'libc',
  'libgcc',
  'libustream-mbedtls',
  'logd',
  'mtd',
  'netifd',
  version.manager === 'apk' ? 'apk-mbedtls' : 'opkg',
  'uci',
  'uclient-fetch',
  'urandom-seed',
  'urngd',
  'dnsmasq',
  'firewall4',
  'nftables',
  'kmod-nft-offload',
  'odhcp6c',
  'odhcpd-ipv6only',
  'ppp',
  'ppp-mod-pppoe',
];

const x86Images = [
  '- kernel.bin',
  '- rootfs.tar.gz',
  ...['squashfs', 'ext4'].flatMap((filesystem) =>
    ['combined.img.gz', 'combined-efi.img.gz', 'rootfs.img.gz'].map((end) => `${filesystem} ${end}`),
  ),
];

const x86: DemoTarget = {
  id: 'x86/64',
  arch: 'x86_64',
  cpu: 'x86_64',
  defaultPackages: (version) => [
    ...commonDefaults(version),
    'busybox',
    'procd-seccomp',
    'e2fsprogs',
    'grub2-bios-setup',
    'kmod-button-hotplug',
    'mkf2fs',
    'partx-utils',
    'procd-ujail',
    'kmod-e1000e',
    'kmod-r8169',
  ],
  profiles: (version) => [
    {
      id: 'generic',
      vendor: 'Generic',
      model: 'x86/64',
      packages: ['kmod-fs-vfat'],
      supportedDevices: [],
      images: x86Images.map((image) => (version.rootfsFilesystem ? image.replace('- rootfs.tar.gz', '- targz-rootfs.tar.gz') : image)),
    },
  ],
  filesystems: ['squashfs', 'ext4', 'targz'],
  rootfsPartsize: 104,
};

const sysupgrade = ['squashfs sysupgrade.bin'];
const factory = ['squashfs factory.bin', ...sysupgrade];
const MIB = 1024 * 1024;

const ath79: DemoTarget = {
  id: 'ath79/generic',
  arch: 'mips_24kc',
  cpu: 'mips',
  defaultPackages: (version) => [
    ...commonDefaults(version),
    'busybox',
    'procd-seccomp',
    'procd-ujail',
    'kmod-gpio-button-hotplug',
    'swconfig',
    'kmod-ath9k',
    'uboot-envtools',
    'wpad-basic-mbedtls',
  ],
  profiles: () => [
    {
      id: '8dev_carambola2',
      vendor: '8devices',
      model: 'Carambola2',
      packages: ['kmod-usb-chipidea2'],
      supportedDevices: ['8dev,carambola2', 'carambola2'],
      images: sysupgrade,
      imageSize: 16_000 * 1024,
    },
    {
      id: 'buffalo_wzr-hp-g300nh-s',
      vendor: 'Buffalo',
      model: 'WZR-HP-G300NH',
      variant: 'S',
      packages: ['kmod-gpio-cascade', 'kmod-mux-gpio', 'kmod-usb2', 'kmod-usb-ledtrig-usbport', 'kmod-switch-rtl8366s'],
      supportedDevices: ['buffalo,wzr-hp-g300nh-s', 'wzr-hp-g300nh'],
      images: factory,
      imageSize: 32_256 * 1024,
    },
    {
      id: 'glinet_gl-ar150',
      vendor: 'GL.iNet',
      model: 'GL-AR150',
      packages: ['kmod-usb2', 'kmod-usb-chipidea2'],
      supportedDevices: ['glinet,gl-ar150', 'gl-ar150'],
      images: sysupgrade,
      imageSize: 16_000 * 1024,
    },
    {
      id: 'test',
      vendor: 'Demo',
      model: 'Test device',
      packages: ['kmod-usb2', '-swconfig'],
      supportedDevices: ['demo,test', 'test-old-name'],
      images: factory,
      imageSize: 16 * MIB,
    },
    {
      id: 'tplink_archer-c6-v2',
      vendor: 'TP-Link',
      model: 'Archer C6',
      variant: 'v2 (EU/RU/JP)',
      packages: ['kmod-ath10k-ct-smallbuffers', 'ath10k-firmware-qca9888-ct'],
      supportedDevices: ['tplink,archer-c6-v2'],
      images: factory,
      imageSize: 7_808 * 1024,
    },
  ],
  filesystems: ['squashfs'],
  rootfsPartsize: 104,
};

const filogic: DemoTarget = {
  id: 'mediatek/filogic',
  arch: 'aarch64_cortex-a53',
  cpu: 'aarch64',
  defaultPackages: (version) => [
    ...commonDefaults(version),
    'busybox',
    'procd-seccomp',
    'procd-ujail',
    ...(isAtLeast(version, '24.10') ? ['fitblk'] : []),
    'kmod-crypto-hw-safexcel',
    'kmod-gpio-button-hotplug',
    'kmod-leds-gpio',
    'kmod-phy-aquantia',
    'uboot-envtools',
    'wpad-basic-mbedtls',
  ],
  profiles: (version) => [
    {
      id: 'glinet_gl-mt6000',
      vendor: 'GL.iNet',
      model: 'GL-MT6000',
      packages: ['e2fsprogs', 'f2fsck', 'mkf2fs', 'kmod-usb3', 'kmod-mt7915e', 'kmod-mt7986-firmware', 'mt7986-wo-firmware'],
      supportedDevices: ['glinet,gl-mt6000', 'glinet,mt6000-emmc'],
      images: factory,
      imageSize: 256 * MIB,
    },
    ...(isAtLeast(version, '24.10')
      ? [
          {
            id: 'openwrt_one',
            vendor: 'OpenWrt',
            model: 'One',
            packages: [
              'kmod-mt7915e',
              'kmod-mt7981-firmware',
              'mt7981-wo-firmware',
              'kmod-rtc-pcf8563',
              'kmod-usb3',
              'kmod-nvme',
              'kmod-phy-airoha-en8811h',
            ],
            supportedDevices: ['openwrt,one'],
            images: ['squashfs factory.ubi', 'squashfs sysupgrade.itb'],
            imageSize: 256 * MIB,
          },
        ]
      : []),
  ],
  filesystems: ['squashfs'],
  rootfsPartsize: 448,
};

/** Every target of the demo upstream. */
export const demoTargets: readonly DemoTarget[] = [x86, ath79, filogic];

/** Returns the file name of a profile's image in the target's directory. */
export function imageName(
  version: DemoVersion,
  target: DemoTarget,
  profile: DemoProfile,
  image: string,
): { name: string; type: string; filesystem?: string } {
  const [filesystem = '-', end = ''] = image.split(' ');
  const number = version.version === 'SNAPSHOT' ? '' : `${version.version.toLowerCase()}-`;
  const prefix = `openwrt-${number}${target.id.replace('/', '-')}-${profile.id}`;
  const type = end.endsWith('rootfs.tar.gz') ? 'rootfs' : (end.split('.')[0] ?? end);
  return filesystem === '-' ? { name: `${prefix}-${end}`, type } : { name: `${prefix}-${filesystem}-${end}`, type, filesystem };
}
