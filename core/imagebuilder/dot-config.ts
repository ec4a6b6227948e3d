import type { Filesystem } from '#core/request/build-request.ts';
import { eachLine } from '#lib/lines.ts';
import { BuildFailure } from './build-output.ts';

/** The facts about an ImageBuilder in its `.config`. */
export interface ImageBuilderConfig {
  /** The root file systems that it can make, in the order of its Makefile's IB_FILESYSTEMS. */
  readonly filesystems: readonly Filesystem[];
  /** Whether it uses apk; otherwise it uses opkg. */
  readonly usesApk: boolean;
  readonly checksSignatures: boolean;
  /** `mips_24kc`. */
  readonly archPackages?: string;
  /** `24.10.2`. Absent in some snapshots. */
  readonly version?: string;
  /** `r28739-d9340319c6`. */
  readonly versionCode?: string;
}

const SYMBOLS: Readonly<Record<Filesystem, string>> = {
  squashfs: 'CONFIG_TARGET_ROOTFS_SQUASHFS',
  ext4: 'CONFIG_TARGET_ROOTFS_EXT4FS',
  ubifs: 'CONFIG_TARGET_ROOTFS_UBIFS',
  erofs: 'CONFIG_TARGET_ROOTFS_EROFS',
  jffs2: 'CONFIG_TARGET_ROOTFS_JFFS2',
  'jffs2-nand': 'CONFIG_TARGET_ROOTFS_JFFS2_NAND',
  targz: 'CONFIG_TARGET_ROOTFS_TARGZ',
  cpiogz: 'CONFIG_TARGET_ROOTFS_CPIOGZ',
};

/** The symbols that are read. A real `.config` has ten thousand others. */
const READ = new Set([
  ...Object.values(SYMBOLS),
  'CONFIG_USE_APK',
  'CONFIG_SIGNATURE_CHECK',
  'CONFIG_TARGET_ARCH_PACKAGES',
  'CONFIG_VERSION_NUMBER',
  'CONFIG_VERSION_CODE',
]);

function symbolsOf(text: string): Map<string, string> {
  const symbols = new Map<string, string>();
  eachLine(text, (line) => {
    const equals = line.startsWith('CONFIG_') ? line.indexOf('=') : -1;
    if (equals !== -1 && READ.has(line.slice(0, equals))) symbols.set(line.slice(0, equals), line.slice(equals + 1));
    return undefined;
  });
  return symbols;
}

/**
 * Archives of the root. Up to 24.10 they come beside the images of other file systems and are not images themselves.
 */
export const ARCHIVES: readonly Filesystem[] = ['targz', 'cpiogz'];

/** Reads the `.config` at the top of an unpacked ImageBuilder. */
export function parseDotConfig(text: string): ImageBuilderConfig {
  const symbols = symbolsOf(text);
  const isSet = (symbol: string) => symbols.get(symbol) === 'y';
  const quoted = (symbol: string) => /^"(.+)"$/.exec(symbols.get(symbol) ?? '')?.[1];
  const archPackages = quoted('CONFIG_TARGET_ARCH_PACKAGES');
  const version = quoted('CONFIG_VERSION_NUMBER');
  const versionCode = quoted('CONFIG_VERSION_CODE');
  return {
    filesystems: (Object.keys(SYMBOLS) as Filesystem[]).filter((filesystem) => isSet(SYMBOLS[filesystem])),
    usesApk: isSet('CONFIG_USE_APK'),
    checksSignatures: isSet('CONFIG_SIGNATURE_CHECK'),
    ...(archPackages !== undefined && { archPackages }),
    ...(version !== undefined && { version }),
    ...(versionCode !== undefined && { versionCode }),
  };
}

/**
 * Returns the `.config` with every other root file system switched off, the only way to make one alone that every
 * ImageBuilder understands (ROOTFS_FILESYSTEM came in May 2026). Throws `BuildFailure` if the ImageBuilder cannot make
 * the requested one.
 */
export function onlyFilesystem(text: string, filesystem: Filesystem): string {
  const { filesystems } = parseDotConfig(text);
  if (!filesystems.includes(filesystem)) throw unavailableFilesystem(filesystem, filesystems);
  return withoutFilesystems(
    text,
    filesystems.filter((other) => other !== filesystem),
  );
}

/** Returns the `.config` with these root file systems switched off. */
export function withoutFilesystems(text: string, filesystems: readonly Filesystem[]): string {
  const off = new Set(filesystems.map((filesystem) => SYMBOLS[filesystem]));
  return text.replace(SWITCHED_ON, (line, symbol: string) => (off.has(symbol) ? `# ${symbol} is not set` : line));
}

/** Returns the size of the root file system's partition in MiB, where `.config` sets one. */
export function rootfsPartsizeMb(text: string): number | undefined {
  const size = /^CONFIG_TARGET_ROOTFS_PARTSIZE=(\d{1,6})[ \t\r]*$/m.exec(text)?.[1];
  return size === undefined ? undefined : Number(size);
}

const SWITCHED_ON = new RegExp(`^(${Object.values(SYMBOLS).join('|')})=y[ \\t\\r]*$`, 'gm');

/** Returns the failure for a file system of which an ImageBuilder makes no images. */
export function unavailableFilesystem(filesystem: Filesystem, available: readonly Filesystem[]): BuildFailure {
  const message = `Unsupported filesystem: ${filesystem}. Available: ${available.join(', ')}`;
  return new BuildFailure(message, { errors: [{ code: 'filesystem_unavailable', filesystem, available, message }] });
}
