import { readFileSync } from 'node:fs';
import type { Branch } from './versions.ts';

/**
 * The place where a package is published: a feed, the target's packages, its kmods, or (with opkg) only the
 * ImageBuilder.
 */
export type Feed = 'target' | 'kmods' | 'imagebuilder' | 'base' | 'luci' | 'packages' | 'routing' | 'telephony';

/** The feeds of each architecture. */
export const archFeeds = ['base', 'luci', 'packages', 'routing', 'telephony'] as const;

/** One package of the demo, for all versions and targets. */
export interface PackageSpec {
  name: string;
  /** The version. It is empty where it follows OpenWrt's (base-files, kernel, kmods, LuCI). */
  version: string;
  release: number;
  feed: Feed;
  depends: string[];
  provides: string[];
  conflicts: string[];
  /** The size that the index states, in KiB. The actual files are tiny. */
  sizeKb: number;
  abi?: string;
  since?: Branch;
  until?: Branch;
  targets?: string[];
  /** The text of each file by its path. By default the package has one file, named after the package. */
  files?: Record<string, string>;
  postinst?: string;
  allArchitectures?: boolean;
}

type Extra = Partial<Omit<PackageSpec, 'name' | 'version' | 'feed'>>;

const define = (feed: Feed, name: string, version: string, sizeKb: number, depends = '', extra: Extra = {}): PackageSpec => ({
  name,
  version,
  release: 1,
  feed,
  depends: depends.split(' ').filter(Boolean),
  provides: [],
  conflicts: [],
  sizeKb,
  ...extra,
});

const script = (name: string) => readFileSync(new URL(`package-scripts/${name}.sh`, import.meta.url), 'utf8');
const service = (name: string) => ({ [`etc/init.d/${name}`]: `#!/bin/sh /etc/rc.common\nSTART=50\nUSE_PROCD=1\n# demo service ${name}\n` });
const binary = (path: string) => ({ [path]: `#!/bin/sh\necho "demo ${path}"\n` });

const core = [
  define('target', 'base-files', '', 180, '', {
    files: {
      'bin/.keep': '',
      'etc/banner': '  _______                     ________        __\n |  OpenWrt, the demo of it: nothing here runs.\n',
      'etc/config/system': "config system\n\toption hostname 'OpenWrt'\n\toption timezone 'UTC'\n",
      'etc/passwd': 'root:x:0:0:root:/root:/bin/ash\n',
      'etc/rc.common': '#!/bin/sh\n# demo\n',
      'etc/uci-defaults/.keep': '',
      'etc/sysctl.conf': '# Defaults are configured in /etc/sysctl.d/*\n',
      'root/.keep': '',
      'sbin/sysupgrade': '#!/bin/sh\necho "demo sysupgrade"\n',
      ...service('boot'),
      ...service('system'),
    },
  }),
  define('imagebuilder', 'libc', '1.2.5', 600, '', { release: 4, files: { 'lib/libc.so': 'demo libc\n' } }),
  define('imagebuilder', 'kernel', '', 10, '', { files: { 'etc/modules.d/.keep': '' } }),
  define('target', 'libgcc', '13.3.0', 130, '', { release: 4, abi: '1' }),
  define('base', 'busybox', '1.36.1', 480, '', {
    release: 2,
    files: { ...binary('bin/busybox'), ...service('cron'), ...service('sysntpd') },
  }),
  define('base', 'dropbear', '2024.86', 230, '', {
    files: { ...binary('usr/sbin/dropbear'), ...service('dropbear'), 'etc/config/dropbear': "config dropbear main\n\toption Port '22'\n" },
  }),
  define('base', 'libubox', '2024.03.29~eb9bcb64', 52, '', { abi: '20240329' }),
  define('base', 'libubus', '2025.01.02~afa57cce', 28, 'libubox', { abi: '20241118' }),
  define('base', 'libuci', '2025.01.20~16ff0bad', 38, 'libubox', { abi: '20130104' }),
  define('base', 'libjson-c', '0.18', 70, '', { abi: '5' }),
  define('base', 'libnl-tiny', '2025.03.19~c0df580a', 40, '', { abi: '1' }),
  define('base', 'libmbedtls', '3.6.3', 480, '', { abi: '21' }),
  define('base', 'libnftnl', '1.2.8', 180, '', { abi: '11' }),
  define('base', 'libucode', '2025.02.10~a8a11aea', 110, 'libjson-c', { abi: '20230711' }),
  define('base', 'uci', '2025.01.20~16ff0bad', 22, 'libuci', { files: binary('sbin/uci') }),
  define('base', 'ubus', '2025.01.02~afa57cce', 18, 'libubus', { files: binary('bin/ubus') }),
  define('base', 'ubusd', '2025.01.02~afa57cce', 26, 'libubox', { files: binary('sbin/ubusd') }),
  define('base', 'procd', '2024.12.22~42d39376', 110, 'ubusd ubus libjson-c', {
    files: { ...binary('sbin/procd'), ...binary('sbin/init') },
  }),
  define('base', 'procd-seccomp', '2024.12.22~42d39376', 12, 'procd'),
  define('base', 'procd-ujail', '2024.12.22~42d39376', 40, 'procd'),
  define('base', 'ubox', '2024.04.26~85f10530', 40, 'libubox'),
  define('base', 'logd', '2024.04.26~85f10530', 30, 'ubox', { files: { ...binary('sbin/logd'), ...service('log') } }),
  define('base', 'fstools', '2025.05.11~f5f57fc0', 80, 'ubox', { files: { ...binary('sbin/block'), ...service('fstab') } }),
  define('base', 'mtd', '26', 36, '', { files: binary('sbin/mtd') }),
  define('base', 'netifd', '2024.12.17~ea01ed41', 220, 'libuci libubus libnl-tiny ubus', {
    files: {
      ...binary('sbin/netifd'),
      ...service('network'),
      'etc/config/network': "config interface 'lan'\n\toption ipaddr '192.168.1.1'\n",
    },
  }),
  define('base', 'opkg', '2024.10.16~38eccbb1', 150, 'uclient-fetch', {
    until: '24.10',
    files: { ...binary('bin/opkg'), 'etc/opkg.conf': 'dest root /\n' },
  }),
  define('base', 'apk-mbedtls', '3.0.3', 320, 'libmbedtls zlib', { since: '25.12', provides: ['apk'], files: binary('usr/bin/apk') }),
  define('base', 'zlib', '1.3.1', 78),
  define('base', 'jsonfilter', '2024.01.23~594cfa86', 20, 'libubox libjson-c'),
  define('base', 'usign', '2020.05.23~f1f65026', 26, 'libubox'),
  define('base', 'uclient-fetch', '2024.10.22~88ae8f20', 40, 'libustream-mbedtls', { files: binary('bin/uclient-fetch') }),
  define('base', 'libustream-mbedtls', '2024.07.28~99bd3d2b', 20, 'libmbedtls libubox', { abi: '20201210', provides: ['libustream'] }),
  define('base', 'ca-bundle', '20241223', 220, '', {
    allArchitectures: true,
    provides: ['ca-certs'],
    files: { 'etc/ssl/certs/ca-certificates.crt': '# demo\n' },
  }),
  define('base', 'urandom-seed', '3', 4, 'getrandom', { files: { ...binary('sbin/urandom-seed'), ...service('urandom_seed') } }),
  define('base', 'getrandom', '2024.04.26~85f10530', 4),
  define('base', 'urngd', '2023.11.01~44365eb1', 20, 'ubox', { files: { ...binary('sbin/urngd'), ...service('urngd') } }),
  define('base', 'swconfig', '12', 24, 'libuci'),
  define('base', 'uboot-envtools', '2024.07', 40),
  define('base', 'fitblk', '2', 12, '', { since: '24.10', targets: ['mediatek/filogic'], files: binary('usr/sbin/fitblk') }),
  define('base', 'e2fsprogs', '1.47.0', 300, 'libext2fs'),
  define('base', 'libext2fs', '1.47.0', 260, '', { abi: '2' }),
  define('base', 'mkf2fs', '1.16.0', 90),
  define('base', 'f2fsck', '1.16.0', 240),
  define('base', 'partx-utils', '2.40.2', 60),
  define('target', 'grub2-bios-setup', '2.12', 320, '', { targets: ['x86/64'] }),
];

const dnsmasqFiles = {
  ...binary('usr/sbin/dnsmasq'),
  ...service('dnsmasq'),
  'etc/config/dhcp': "config dnsmasq\n\toption domain 'lan'\n",
};

const network = [
  define('base', 'dnsmasq', '2.90', 380, 'libubus', { release: 4, files: dnsmasqFiles }),
  define('base', 'dnsmasq-full', '2.90', 440, 'libubus libnftnl', { release: 4, provides: ['dnsmasq'], files: dnsmasqFiles }),
  define('base', 'firewall4', '2024.12.18~18fc0ead', 140, 'nftables ucode kmod-nft-core', {
    provides: ['uci-firewall'],
    files: { ...binary('sbin/fw4'), ...service('firewall'), 'etc/config/firewall': "config defaults\n\toption input 'REJECT'\n" },
  }),
  define('base', 'ucode', '2025.02.10~a8a11aea', 90, 'libucode', { files: binary('usr/bin/ucode') }),
  define('base', 'nftables', '1.1.1', 680, 'libnftnl', { provides: ['nftables-json'], files: binary('usr/sbin/nft') }),
  define('base', 'odhcp6c', '2023.05.12~bcd28363', 60, 'libubox'),
  define('base', 'odhcpd-ipv6only', '2024.05.08~a2988231', 110, 'libuci libubus', {
    provides: ['odhcpd'],
    files: { ...binary('usr/sbin/odhcpd'), ...service('odhcpd') },
  }),
  define('base', 'ppp', '2.5.1', 260, 'kmod-ppp'),
  define('base', 'ppp-mod-pppoe', '2.5.1', 20, 'ppp'),
  define('base', 'wpad-basic-mbedtls', '2024.09.15~5ace39b0', 800, 'libubus libmbedtls', {
    provides: ['hostapd', 'wpa-supplicant'],
    files: { ...binary('usr/sbin/wpad'), ...service('wpad') },
  }),
  define('base', 'wpad-mbedtls', '2024.09.15~5ace39b0', 1200, 'libubus libmbedtls', {
    provides: ['hostapd', 'wpa-supplicant'],
    files: { ...binary('usr/sbin/wpad'), ...service('wpad') },
  }),
  define('base', 'wireguard-tools', '1.0.20210914', 80, 'kmod-wireguard', { release: 4, files: binary('usr/bin/wg') }),
  define('base', 'ath10k-firmware-qca9888-ct', '2020.11.08', 700),
  define('base', 'mt7981-wo-firmware', '20241110', 60),
  define('base', 'mt7986-wo-firmware', '20241110', 90),
  define('base', 'ipq-wifi-tplink_archer-c6-v2', '2024.11.20~c6d8b1e3', 40, '', { since: '24.10', targets: ['ath79/generic'] }),
  define('base', 'libstdcpp', '13.3.0', 1200, 'libgcc', { release: 4, abi: '6' }),
  define('base', 'tcpdump', '4.99.5', 700, 'libpcap'),
  define('base', 'libpcap', '1.10.5', 260, '', { abi: '1' }),
];

const kmod = (name: string, sizeKb: number, depends = '', extra: Extra = {}) =>
  define('kmods', `kmod-${name}`, '', sizeKb, `kernel ${depends}`, extra);

const kernelModules = [
  kmod('nft-core', 220, 'kmod-nf-conntrack'),
  kmod('nft-offload', 20, 'kmod-nft-core kmod-nf-flow'),
  kmod('nft-nat', 16, 'kmod-nft-core'),
  kmod('nft-nat6', 8, 'kmod-nft-nat'),
  kmod('nft-fib', 10, 'kmod-nft-core'),
  kmod('nf-conntrack', 120),
  kmod('nf-conntrack6', 8, 'kmod-nf-conntrack', { until: '25.12' }),
  kmod('nf-flow', 24, 'kmod-nf-conntrack'),
  kmod('lib-crc32c', 4, '', { until: '25.12' }),
  kmod('ppp', 60),
  kmod('usb-core', 200),
  kmod('usb2', 60, 'kmod-usb-core'),
  kmod('usb3', 140, 'kmod-usb-core'),
  kmod('usb-storage', 90, 'kmod-usb-core'),
  kmod('usb-ledtrig-usbport', 10, 'kmod-usb-core'),
  kmod('usb-chipidea2', 50, 'kmod-usb2', { targets: ['ath79/generic'] }),
  kmod('ath9k', 480, 'kmod-mac80211', { targets: ['ath79/generic'] }),
  kmod('ath10k-ct-smallbuffers', 520, 'kmod-mac80211', { targets: ['ath79/generic'] }),
  kmod('mac80211', 700, 'kmod-cfg80211'),
  kmod('cfg80211', 420),
  kmod('gpio-cascade', 6, '', { targets: ['ath79/generic'] }),
  kmod('mux-gpio', 6, '', { targets: ['ath79/generic'] }),
  kmod('switch-rtl8366s', 30, '', { targets: ['ath79/generic'] }),
  kmod('switch-rtl8366rb', 30, '', { targets: ['ath79/generic'] }),
  kmod('gpio-button-hotplug', 20),
  kmod('button-hotplug', 16, '', { targets: ['x86/64'] }),
  kmod('leds-gpio', 8),
  kmod('e1000e', 240, '', { targets: ['x86/64'] }),
  kmod('r8169', 160, '', { targets: ['x86/64'] }),
  kmod('fs-vfat', 80),
  kmod('fs-ext4', 500),
  kmod('wireguard', 150, 'kmod-crypto-lib-chacha20'),
  kmod('crypto-lib-chacha20', 20),
  kmod('crypto-hw-safexcel', 110, '', { targets: ['mediatek/filogic'] }),
  kmod('phy-aquantia', 40, '', { targets: ['mediatek/filogic'] }),
  kmod('phy-airoha-en8811h', 150, '', { targets: ['mediatek/filogic'] }),
  kmod('rtc-pcf8563', 10, '', { targets: ['mediatek/filogic'] }),
  kmod('nvme', 90, '', { targets: ['mediatek/filogic'] }),
  kmod('mt7915e', 300, 'kmod-mac80211', { targets: ['mediatek/filogic'] }),
  kmod('mt7981-firmware', 900, '', { targets: ['mediatek/filogic'] }),
  kmod('mt7986-firmware', 1400, '', { targets: ['mediatek/filogic'] }),
  kmod('mt7622-firmware', 500, '', { targets: ['mediatek/filogic'] }),
];

const luciPackage = (name: string, sizeKb: number, depends = '', extra: Extra = {}) =>
  define('luci', name, '', sizeKb, depends, { allArchitectures: true, ...extra });

// There is no English pack: upstream has dropped these, so the server rewrites requests for them.
const languages = ['de', 'fr'];

const translation = (of: string, extra: Extra = {}) =>
  languages.map((language) =>
    luciPackage(`luci-i18n-${of}-${language}`, 16, of === 'base' ? 'luci-base' : `luci-app-${of}`, {
      ...extra,
      files: { [`usr/lib/lua/luci/i18n/${of}.${language}.lmo`]: `demo ${of} ${language}\n` },
    }),
  );

const luci = [
  luciPackage('luci', 4, 'luci-light luci-app-firewall', { files: { 'usr/share/luci/demo': 'luci\n' } }),
  luciPackage('luci-light', 4, 'uhttpd luci-base luci-mod-admin-full luci-theme-bootstrap luci-proto-ppp rpcd', {
    files: { 'usr/share/luci/light': 'luci-light\n' },
  }),
  luciPackage('luci-ssl', 4, 'luci libustream-mbedtls px5g-mbedtls', { files: { 'usr/share/luci/ssl': 'luci-ssl\n' } }),
  luciPackage('luci-base', 400, 'rpcd ucode', {
    files: { 'www/index.html': '<!DOCTYPE html><title>LuCI, the demo of it</title>\n', 'usr/share/luci/menu.d/luci-base.json': '{}\n' },
  }),
  luciPackage('luci-mod-admin-full', 300, 'luci-base'),
  luciPackage('luci-theme-bootstrap', 60, 'luci-base', { postinst: '#!/bin/sh\nexit 0\n' }),
  luciPackage('luci-proto-ppp', 10, 'luci-base'),
  luciPackage('luci-proto-wireguard', 30, 'wireguard-tools luci-base'),
  luciPackage('luci-app-firewall', 70, 'luci-base firewall4'),
  luciPackage('luci-app-opkg', 30, 'luci-base opkg', { until: '23.05' }),
  luciPackage('luci-app-package-manager', 34, 'luci-base', { since: '24.10' }),
  luciPackage('luci-app-attendedsysupgrade', 40, 'luci-base attendedsysupgrade-common'),
  luciPackage('luci-app-diag-core', 20, 'luci-base', { since: '24.10' }),
  ...translation('base'),
  ...translation('firewall'),
  ...translation('opkg', { until: '23.05' }),
  ...translation('package-manager', { since: '24.10' }),
  ...translation('attendedsysupgrade'),
  define('base', 'rpcd', '2024.09.17~9f4b86e7', 70, 'libuci libubus', { files: { ...binary('sbin/rpcd'), ...service('rpcd') } }),
  define('base', 'uhttpd', '2023.06.25~34a8a74d', 60, 'libubox', { files: { ...binary('usr/sbin/uhttpd'), ...service('uhttpd') } }),
  define('base', 'px5g-mbedtls', '11', 20, 'libmbedtls', { provides: ['px5g'] }),
];

const applications = [
  define('packages', 'auc', '0.3.2', 40, 'attendedsysupgrade-common libubox', { until: '23.05', files: binary('usr/sbin/auc') }),
  define('packages', 'owut', '2025.05.04~f41ea6c2', 60, 'ucode attendedsysupgrade-common', {
    since: '24.10',
    files: binary('usr/bin/owut'),
  }),
  define('packages', 'attendedsysupgrade-common', '9', 4, '', {
    allArchitectures: true,
    files: { 'etc/config/attendedsysupgrade': "config server 'server'\n\toption url 'https://sysupgrade.openwrt.org'\n" },
  }),
  define('packages', 'vim', '9.1.0652', 1400, 'libncurses', { files: binary('usr/bin/vim') }),
  define('packages', 'nano', '8.3', 220, 'libncurses', { files: binary('usr/bin/nano') }),
  define('packages', 'tmux', '3.4', 700, 'libncurses libevent2', { files: binary('usr/bin/tmux') }),
  define('packages', 'htop', '3.3.0', 300, 'libncurses', { files: binary('usr/bin/htop') }),
  define('base', 'libncurses', '6.4', 320, 'terminfo', { abi: '6' }),
  define('base', 'terminfo', '6.4', 30),
  define('packages', 'libevent2', '2.1.12', 300, '', { abi: '7' }),
  define('packages', 'curl', '8.12.1', 240, 'libcurl', { files: binary('usr/bin/curl') }),
  define('packages', 'libcurl', '8.12.1', 480, 'libmbedtls', { abi: '4' }),
  define('routing', 'batctl-default', '2024.3', 60),
  define('routing', 'babeld', '1.13.1', 160, '', { files: { ...binary('usr/sbin/babeld'), ...service('babeld') } }),
  define('telephony', 'siproxd', '0.8.3', 200, '', { files: { ...binary('usr/sbin/siproxd'), ...service('siproxd') } }),
  ...(['test1', 'test2', 'zzz', 'aaa', 'qqq'] as const).map((name) =>
    define('packages', name, name === 'test2' ? '2.0' : '1.0', 8, '', { files: { [`usr/share/demo/${name}`]: `${name}\n` } }),
  ),
];

const faulty = (name: string, extra: Extra = {}, depends = '') => define('packages', name, '1.0', extra.sizeKb ?? 4, depends, extra);

/** The packages that cause trouble; README.md in this folder says how. */
const faults = [
  faulty('needs-missing', {}, 'does-not-exist-anywhere'),
  faulty('needs-needs-missing', {}, 'needs-missing'),
  faulty('foe-a', { conflicts: ['foe-b'] }),
  faulty('foe-b', { conflicts: ['foe-a'] }),
  faulty('clash-a', { files: { 'etc/clash.conf': 'a\n' } }),
  faulty('clash-b', { files: { 'etc/clash.conf': 'b\n' } }),
  faulty('huge', { sizeKb: 300 * 1024, files: { 'usr/share/huge': 'In the index 300 MiB.\n' } }),
  faulty('slow-2', { postinst: '#!/bin/sh\nsleep 2\n' }),
  faulty('slow-install', { postinst: '#!/bin/sh\nsleep 5\n' }),
  faulty('slow-30', { postinst: '#!/bin/sh\nsleep 30\n' }),
  faulty('fails-install', { postinst: '#!/bin/sh\necho "fails-install: as its name says" >&2\nexit 1\n' }),
  ...(
    [
      'noisy',
      'forks',
      'forks-away',
      'writes-symlink',
      'reads-secrets',
      'eats-disk',
      'eats-memory',
      'fills-disk',
      'fills-database',
      'leaves-much',
      'leaves-many',
      'ignores-sigterm',
      'runs-defaults',
    ] as const
  ).map((name) => faulty(name, { postinst: script(name) })),
];

/** Every package of the demo. */
export const packageSpecs: readonly PackageSpec[] = [...core, ...network, ...kernelModules, ...luci, ...applications, ...faults];

/** The packages of the custom feed below `/custom/`. */
export const customPackages: readonly { name: string; files: Record<string, string>; postinst?: string }[] = [
  { name: 'custom-hello', files: { 'usr/share/custom-hello': 'hello from a custom feed\n' } },
  {
    name: 'custom-reads-secrets',
    files: { 'usr/share/custom-reads-secrets': 'see etc/reads-secrets.txt\n' },
    postinst: script('reads-secrets'),
  },
];
