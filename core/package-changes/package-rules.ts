import type { PackageRule } from './package-rule.ts';

const openwrt = (commit: string): string => `https://github.com/openwrt/openwrt/commit/${commit}`;

const MVEBU_DSA = {
  action: { kind: 'add', packages: ['kmod-dsa-mv88e6xxx'] },
  introducedIn: '25.12',
  reason: 'Since 25.12 the Marvell switch driver of this device is a package of its own; without it the LAN ports do not work.',
  link: openwrt('eaa82118eadfd495f8512d55c01c1935b8b42c51'),
} as const;

const LANTIQ_SWITCH = {
  action: { kind: 'add', packages: ['kmod-dsa-gswip'] },
  introducedIn: '25.12',
  reason: 'Since 25.12 the switch driver of this target is a package of its own; without it the LAN ports do not work.',
  link: openwrt('62bf0287326dcfab4596d5f4cad77cd9e7f8f03b'),
} as const;

const lantiqPhy = (phy: 'phy11g' | 'phy22f') =>
  ({
    action: { kind: 'add', packages: [`xrx200-rev1.1-${phy}-firmware`, `xrx200-rev1.2-${phy}-firmware`] },
    introducedIn: '25.12',
    reason: 'Since 25.12 the firmware of the network PHYs of this device is a package of its own.',
    link: openwrt('a18d95f35bd54ade908e8ec3158435859402552d'),
  }) as const;

const BLUETOOTH_UART = {
  action: { kind: 'add', packages: ['kmod-hci-uart'] },
  introducedIn: '25.12',
  reason: 'Since 25.12 the driver for Bluetooth on a serial line is a package of its own, split from kmod-bluetooth.',
  link: openwrt('3b7a92754e81432024b232c7cd7fe32593891ee0'),
} as const;

/**
 * All package changes that this server knows, in the order in which they apply: the reference server's rules
 * (asu/package_changes.py) and its published table (`package_changes_list` in asu/config.py). To add one, append it to
 * the rules of its branch; no other code has to change.
 */
export const PACKAGE_RULES: readonly PackageRule[] = [
  // 22.03
  {
    id: 'firewall4',
    action: { kind: 'replace', from: 'firewall', to: 'firewall4' },
    introducedIn: '22.03',
    published: { revision: 18611 },
    reason: 'Since 22.03 firewall4 (nftables) has replaced firewall (iptables).',
    link: openwrt('08d9f6e3020b4a149b2007b6ed7d684c49af9bbf'),
  },

  // 23.05
  {
    id: 'nft-nat6',
    action: { kind: 'remove', package: 'kmod-nft-nat6' },
    introducedIn: '23.05',
    published: { revision: 20282, mandatory: true },
    reason: 'Since 23.05 kmod-nft-nat6 no longer exists: kmod-nft-nat does its work.',
    link: openwrt('b75425370d8de747457c137463bc4d15f6f44d00'),
  },
  {
    id: 'libustream-mbedtls',
    action: { kind: 'replace', from: 'libustream-wolfssl', to: 'libustream-mbedtls' },
    introducedIn: '23.05',
    published: { revision: 21994 },
    reason: 'Since 23.05 OpenWrt uses Mbed TLS instead of wolfSSL: libustream-mbedtls has replaced libustream-wolfssl.',
    link: openwrt('4bcc3fd3d222bfe545beb3906da9de860fcb83bd'),
  },
  {
    id: 'px5g-mbedtls',
    action: { kind: 'replace', from: 'px5g-wolfssl', to: 'px5g-mbedtls' },
    introducedIn: '23.05',
    published: { revision: 21994 },
    reason: 'Since 23.05 OpenWrt uses Mbed TLS instead of wolfSSL: px5g-mbedtls has replaced px5g-wolfssl.',
    link: 'https://github.com/openwrt/luci/pull/6225',
  },
  {
    id: 'wpad-basic-mbedtls',
    action: { kind: 'replace', from: 'wpad-basic-wolfssl', to: 'wpad-basic-mbedtls' },
    introducedIn: '23.05',
    published: { revision: 21994 },
    reason: 'Since 23.05 OpenWrt uses Mbed TLS instead of wolfSSL: wpad-basic-mbedtls has replaced wpad-basic-wolfssl.',
    link: openwrt('2630e5063df0240eb0d05cd6e953b2bd412e3215'),
  },
  {
    id: 'mt7622-firmware',
    appliesTo: { branch: '23.05', targets: ['mediatek/mt7622'] },
    action: { kind: 'add', packages: ['kmod-mt7622-firmware'] },
    introducedIn: '23.05',
    reason: 'Since 23.05 the wireless firmware of the MT7622 is a package of its own.',
    link: openwrt('9a07895729a9701a673951a31ceb71f16f0a6fad'),
  },
  {
    id: 'switch-rtl8366s',
    appliesTo: {
      branch: '23.05',
      targets: ['ath79/generic'],
      profiles: [
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
    },
    action: { kind: 'add', packages: ['kmod-switch-rtl8366s'] },
    introducedIn: '23.05',
    reason: 'Since 23.05 the RTL8366S switch driver of this device is a package of its own; without it the LAN ports do not work.',
    link: openwrt('6e0f0eae5b48bddead035d9dd89b710c10c50337'),
  },
  {
    id: 'switch-rtl8366rb',
    appliesTo: { branch: '23.05', targets: ['ath79/generic'], profiles: ['buffalo_wzr-hp-g300nh-rb'] },
    action: { kind: 'add', packages: ['kmod-switch-rtl8366rb'] },
    introducedIn: '23.05',
    reason: 'Since 23.05 the RTL8366RB switch driver of this device is a package of its own; without it the LAN ports do not work.',
    link: openwrt('575ec7a4b1a085f243961ef13dd23f228a60e67e'),
  },

  // 24.10
  {
    id: 'diag-core',
    action: { kind: 'remove', package: 'luci-app-diag-core' },
    introducedIn: '24.10',
    published: { revision: 25984, mandatory: true },
    reason: 'Since 24.10 luci-app-diag-core no longer exists.',
    link: 'https://github.com/openwrt/asu/pull/1186',
  },
  {
    id: 'owut',
    appliesTo: { branch: '24.10' },
    action: { kind: 'replace', from: 'auc', to: 'owut' },
    introducedIn: '24.10',
    published: { revision: 26792 },
    reason: 'Since 24.10 owut has replaced auc, which no longer exists.',
    link: 'https://github.com/openwrt/packages/commit/3a998e10218c318511b41739f276e572c1ede967',
  },
  {
    id: 'package-manager',
    action: { kind: 'replace', from: 'luci-app-opkg', to: 'luci-app-package-manager' },
    introducedIn: '24.10',
    published: { revision: 27897 },
    reason: 'Since 24.10 luci-app-opkg is called luci-app-package-manager.',
    link: 'https://github.com/openwrt/luci/commit/bcd13b918e2f30b8d19027a06e3d773a1b0ec4c0',
  },
  {
    id: 'apk',
    action: { kind: 'replace', from: 'opkg', to: 'apk-mbedtls' },
    introducedIn: '25.12',
    published: { revision: 28056 },
    reason: 'Since 25.12 OpenWrt uses the package manager apk instead of opkg.',
    link: openwrt('40b8fbaa9754c86480eefc3692c9116a51a64718'),
  },
  {
    id: 'archer-c6-v2',
    appliesTo: { branch: '24.10', profiles: ['tplink_archer-c6-v2'] },
    action: { kind: 'add', packages: ['ipq-wifi-tplink_archer-c6-v2'] },
    introducedIn: '24.10',
    reason: 'Since 24.10 the wireless calibration data of this device is a package of its own.',
    link: openwrt('427c4aa266169b67aa26c0817b807d2921b4bba5'),
  },
  {
    id: 'fitblk',
    appliesTo: { branch: '24.10', targets: ['mediatek/filogic', 'mediatek/mt7622', 'mediatek/mt7623'] },
    action: { kind: 'add', packages: ['fitblk'] },
    introducedIn: '24.10',
    reason: 'Since 24.10 devices of this target mount their root file system with fitblk.',
    link: openwrt('85f34990d334a450f3fb0d17800af7b8bf7f333d'),
  },

  // 25.12
  {
    id: 'dsa-mv88e6xxx-kirkwood',
    appliesTo: {
      branch: '25.12',
      targets: ['kirkwood/generic'],
      profiles: ['checkpoint_l-50', 'endian_4i-edge-200', 'linksys_e4200-v2', 'linksys_ea3500', 'linksys_ea4500'],
    },
    ...MVEBU_DSA,
    link: openwrt('8a7239009c5f4b28b696042b70ed1f8f89902915'),
  },
  {
    id: 'dsa-mv88e6xxx-cortexa9',
    appliesTo: {
      branch: '25.12',
      targets: ['mvebu/cortexa9'],
      profiles: [
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
    },
    ...MVEBU_DSA,
  },
  {
    id: 'dsa-mv88e6xxx-cortexa53',
    appliesTo: {
      branch: '25.12',
      targets: ['mvebu/cortexa53'],
      profiles: [
        'glinet_gl-mv1000',
        'globalscale_espressobin',
        'globalscale_espressobin-emmc',
        'globalscale_espressobin-ultra',
        'globalscale_espressobin-v7',
        'globalscale_espressobin-v7-emmc',
        'methode_udpu',
      ],
    },
    ...MVEBU_DSA,
  },
  {
    id: 'dsa-mv88e6xxx-cortexa72',
    appliesTo: {
      branch: '25.12',
      targets: ['mvebu/cortexa72'],
      profiles: ['checkpoint_v-80', 'checkpoint_v-81', 'globalscale_mochabin', 'mikrotik_rb5009', 'solidrun_clearfog-pro'],
    },
    ...MVEBU_DSA,
  },
  { id: 'dsa-gswip', appliesTo: { branch: '25.12', targets: ['lantiq/xrx200', 'lantiq/xrx200_legacy'] }, ...LANTIQ_SWITCH },
  {
    id: 'xrx200-phy22f',
    appliesTo: {
      branch: '25.12',
      targets: ['lantiq/xrx200'],
      profiles: [
        'arcadyan_arv7519rw22',
        'arcadyan_vgv7510kw22-brn',
        'arcadyan_vgv7510kw22-nor',
        'avm_fritz7412',
        'avm_fritz7430',
        'buffalo_wbmr-300hpd',
      ],
    },
    ...lantiqPhy('phy22f'),
  },
  {
    id: 'xrx200-phy11g',
    appliesTo: {
      branch: '25.12',
      targets: ['lantiq/xrx200'],
      profiles: [
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
    },
    ...lantiqPhy('phy11g'),
  },
  {
    id: 'xrx200-legacy-phy22f',
    appliesTo: { branch: '25.12', targets: ['lantiq/xrx200_legacy'], profiles: ['alphanetworks_asl56026', 'netgear_dm200'] },
    ...lantiqPhy('phy22f'),
  },
  {
    id: 'xrx200-legacy-phy11g',
    appliesTo: {
      branch: '25.12',
      targets: ['lantiq/xrx200_legacy'],
      profiles: ['tplink_tdw8970', 'tplink_tdw8980', 'arcadyan_vg3503j'],
    },
    ...lantiqPhy('phy11g'),
  },
  {
    id: 'hci-uart-bcm53xx',
    appliesTo: { branch: '25.12', targets: ['bcm53xx/generic'], profiles: ['meraki_mr32'] },
    ...BLUETOOTH_UART,
  },
  {
    id: 'hci-uart-ipq40xx',
    appliesTo: { branch: '25.12', targets: ['ipq40xx/generic'], profiles: ['linksys_whw03', 'linksys_whw03v2'] },
    ...BLUETOOTH_UART,
  },
  {
    id: 'hci-uart-ipq807x',
    appliesTo: {
      branch: '25.12',
      targets: ['qualcommax/ipq807x'],
      profiles: ['linksys_mx4200v1', 'linksys_mx8500', 'zyxel_nbg7815'],
    },
    ...BLUETOOTH_UART,
  },
  {
    id: 'ag71xx-legacy',
    appliesTo: { branch: '25.12', targets: ['ath79/mikrotik'] },
    action: { kind: 'add', packages: ['kmod-ag71xx-legacy'] },
    introducedIn: '25.12',
    reason: 'Since 25.12 the Ethernet driver of this target is a package of its own; without it the device has no network.',
    link: openwrt('a8aef63898ad2bbb4a27b6abb31c9b6185ed3817'),
  },

  // SNAPSHOT
  {
    id: 'nf-conntrack6',
    appliesTo: { version: 'SNAPSHOT' },
    action: { kind: 'remove', package: 'kmod-nf-conntrack6' },
    introducedIn: 'SNAPSHOT',
    reason: 'In current snapshots kmod-nf-conntrack6 no longer exists: kmod-nf-conntrack does its work.',
    link: openwrt('5b61a50244ebc82096f5949de294ad69851e1fd6'),
  },
  {
    id: 'lib-crc32c',
    appliesTo: { version: 'SNAPSHOT' },
    action: { kind: 'remove', package: 'kmod-lib-crc32c' },
    introducedIn: 'SNAPSHOT',
    reason: 'In current snapshots kmod-lib-crc32c no longer exists: kernel 6.18 has it elsewhere.',
    link: 'https://github.com/openwrt/asu/pull/1647',
  },

  // Language packs
  {
    id: 'package-manager-languages',
    appliesTo: { since: '24.10' },
    action: { kind: 'replace-prefix', from: 'luci-i18n-opkg-', to: 'luci-i18n-package-manager-' },
    introducedIn: '24.10',
    reason: 'Since 24.10 luci-app-opkg is called luci-app-package-manager, and its language packs likewise.',
    link: 'https://github.com/openwrt/luci/commit/bcd13b918e2f30b8d19027a06e3d773a1b0ec4c0',
  },
  {
    id: 'english-languages',
    appliesTo: {},
    action: { kind: 'remove-matching', prefix: 'luci-i18n-', suffix: '-en' },
    introducedIn: '21.02',
    reason: 'LuCI no longer has English language packs: English is built in.',
  },
];
