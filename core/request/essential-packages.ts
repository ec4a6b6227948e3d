import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import type { Warning } from '#core/warning.ts';
import { type DefaultPackages, ownPackages, type PackageRequest, withoutRemoved } from './image-packages.ts';

/** One duty of the default packages, and what a device is like without it. */
interface Duty {
  /** The default packages that do it, by name. */
  readonly by: RegExp;
  /** Any package that does it, if others than those that are there by default can. */
  readonly orBy?: RegExp;
  /** Like `orBy`, for a stand-in with which the lack is no more than a note. */
  readonly halfBy?: RegExp;
  /** Whether base-files brings it along where the index does not say what base-files depends on. */
  readonly isBrought?: boolean;
  /** Whether only the packages of the device itself count: those of the target may be for other devices. */
  readonly ofDevice?: boolean;
  readonly severity: Warning['severity'];
  readonly what: string;
}

const SSH = /^(?:dropbear|openssh-server(?:-pam)?|tinysshd)$/;
/** The packages that bring a web server with them. The applications of LuCI alone do not. */
const WEB = /^(?:luci(?:-light|-nginx|-ssl|-ssl-nginx|-ssl-openssl)?|uhttpd)$/;
const NETWORK_CARD =
  /^kmod-(?:3c59x|8139|alx|amazon-ena|amd-xgbe|atl[12]|atlantic|be2net|bnx2|e100|forcedeth|i40e|iavf|ice$|igb|igc|ixgb|mlx[45]|ne2k|pcnet32|r812|r8168|r8169|sis190|skge|sky2|tg3|tulip|via-|vmxnet3)/;
const WIRED = new RegExp(`${NETWORK_CARD.source}|^kmod-(?:dsa|mdio|phy|switch)-`);
const WIRELESS =
  /^kmod-(?:ath\d+k|ath5k|b43|brcmfmac|brcmsmac|carl9170|iwlwifi|mt76|mt7[69]|mwifiex|mwlwifi|qcawifi|rt2[0-9x]|rt61|rt73|rtl8|rtlwifi|rtw8)/;

const DUTIES: readonly Duty[] = [
  { by: /^base-files$/, severity: 'strong', what: 'the base system' },
  { by: /^busybox(?:-|$)/, severity: 'strong', what: 'the shell' },
  { by: /^libc$/, isBrought: true, severity: 'strong', what: 'the C library' },
  { by: /^netifd$/, isBrought: true, severity: 'strong', what: 'the network' },
  { by: /^procd(?:-ujail)?$/, isBrought: true, severity: 'strong', what: 'the init process' },
  { by: /^uci$/, severity: 'strong', what: 'the configuration' },
  { by: SSH, halfBy: WEB, severity: 'strong', what: 'SSH' },
  { by: WIRED, ofDevice: true, severity: 'strong', what: 'the wired network' },
  { by: NETWORK_CARD, orBy: WIRED, severity: 'strong', what: 'network cards' },
  { by: /^dnsmasq(?:-|$)/, severity: 'note', what: 'DHCP and DNS' },
  { by: /^firewall4?$/, severity: 'note', what: 'the firewall' },
  { by: /^wpad(?:-|$)/, orBy: /^(?:wpad|hostapd|wpa-supplicant)(?:-|$)/, severity: 'note', what: 'encrypted Wi-Fi' },
  { by: WIRELESS, ofDevice: true, severity: 'note', what: 'Wi-Fi' },
];

/** What a device needs to start from its flash memory or disk, and to be upgraded again. */
const BOOT = /^(?:grub2|uboot-|mtd$|fstools$|block-mount$|ubi-utils$|fitblk$|partx-utils$|mkf2fs$|e2fsprogs$|swconfig$)/;
const WIRELESS_KEYS = /^(?:wpad|hostapd|wpa-supplicant)(?:-|$)/;

/**
 * Returns whether a device that loses this default package may not start, or may not be reachable by its wired network,
 * its Wi-Fi or SSH.
 */
export const isCritical = (name: string): boolean =>
  BOOT.test(name) ||
  WIRELESS.test(name) ||
  WIRELESS_KEYS.test(name) ||
  DUTIES.some(({ by, severity }) => severity === 'strong' && by.test(name));

const MEANING = {
  strong: 'the device may not start, or may not be reachable',
  note: 'the device will be without them',
} as const;

/**
 * Returns warnings about a request whose packages replace the default ones (`diff_packages`), if the image would lack
 * what the device needs to start and to be reached (`strong`), or what it does by default (`note`). A package that
 * neither the target nor the device has by default is not missing. The result counts, not whether the request removes
 * a package by name or leaves it out. A package that fulfils the same purpose will do, and so does one that base-files
 * depends on: procd and busybox from OpenWrt 25.12 on, not before.
 */
export function essentialPackages(
  { packages, diff_packages: isWholeList, profile }: PackageRequest,
  record: DefaultPackages,
  index?: Pick<PackageIndex, 'baseNeeds'>,
): Warning[] {
  if (!isWholeList) return [];
  const own = ownPackages(record, profile);
  const result = withoutRemoved(packages);
  const isBroughtAlong = ({ by, isBrought = false }: Duty) =>
    result.includes('base-files') && (index?.baseNeeds === undefined ? isBrought : index.baseNeeds.some((name) => by.test(name)));
  const lacks = DUTIES.flatMap((duty) => {
    const { by, orBy = by, halfBy, ofDevice = false, severity, what } = duty;
    const names = withoutRemoved(ofDevice ? own : [...record.defaultPackages, ...own]).filter((name) => by.test(name));
    if (names.length === 0 || result.some((name) => orBy.test(name)) || isBroughtAlong(duty)) return [];
    const isHalf = halfBy !== undefined && result.some((name) => halfBy.test(name));
    return [{ names: names.sort(), what, severity: isHalf ? ('note' as const) : severity }];
  });
  return (['strong', 'note'] as const).flatMap((severity) => {
    const missing = lacks.filter((lack) => lack.severity === severity);
    return missing.length > 0 ? [warningOf(severity, missing)] : [];
  });
}

function warningOf(severity: Warning['severity'], missing: readonly { names: readonly string[]; what: string }[]): Warning {
  const listed = missing.map(({ names, what }) => `${names.join(', ')} (${what})`).join(', ');
  return {
    code: 'essential_packages_missing',
    severity,
    detail: `The packages replace the default ones (diff_packages), and the image lacks ${listed}: ${MEANING[severity]}. Without diff_packages, packages are added to the default ones.`,
    packages: [...new Set(missing.flatMap(({ names }) => names))].sort(),
  };
}
