/** A package in the root file system of a build. */
export interface InstalledPackage {
  /** Without ABI version: `libubox`. What clients and feeds call it. */
  readonly name: string;
  /** With it: `libubox20240329`. The same for packages without one. */
  readonly installedName: string;
  readonly version: string;
  readonly abiVersion?: string;
  /** Other names that it goes by, with the version it has under that name. */
  readonly provides?: Readonly<Record<string, string>>;
}

/** package name → version. */
export type Manifest = Readonly<Record<string, string>>;

const MANIFEST_LINE = /^([A-Za-z0-9][A-Za-z0-9._+-]*)(?: - | )(\S+)$/;

/** Reads what `make manifest` prints: `name - version`, or `name version` as apk ImageBuilders did at first. Other lines are chatter. */
export function parseManifest(text: string): Manifest {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, version] = MANIFEST_LINE.exec(line.trimEnd()) ?? [];
      return name === undefined || version === undefined ? [] : [[name, version]];
    }),
  );
}

/** Reads opkg's database, `usr/lib/opkg/status` below the root: paragraphs of `Key: value` lines. */
export function parseOpkgStatus(text: string): InstalledPackage[] {
  return paragraphs(text).flatMap((lines) => {
    const name = field(lines, 'Package: ');
    const version = field(lines, 'Version: ');
    const status = field(lines, 'Status: ');
    if (name === undefined || version === undefined || !status?.endsWith(' installed')) return [];
    return [installedPackage(name, version, field(lines, 'ABIVersion: '), provided(field(lines, 'Provides: ')?.split(',') ?? [], version))];
  });
}

/**
 * Reads apk's database, `lib/apk/db/installed` below the root: paragraphs of one-letter keys. The ABI version is one of the
 * package's tags (`g:`), where include/package-pack.mk of OpenWrt puts it.
 */
export function parseApkInstalled(text: string): InstalledPackage[] {
  return paragraphs(text).flatMap((lines) => {
    const name = field(lines, 'P:');
    const version = field(lines, 'V:');
    if (name === undefined || version === undefined) return [];
    const tags = field(lines, 'g:')?.split(' ') ?? [];
    return [installedPackage(name, version, field(tags, 'openwrt:abiversion='), provided(field(lines, 'p:')?.split(' ') ?? [], version))];
  });
}

/** The manifest as `make manifest STRIP_ABI=1` prints it: names without ABI version, sorted. */
export function manifestOf(installed: readonly InstalledPackage[]): Manifest {
  const sorted = installed.toSorted((a, b) => order(a.name, b.name) || order(a.installedName, b.installedName));
  return Object.fromEntries(sorted.map(({ name, version }) => [name, version]));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const paragraphs = (text: string): string[][] => text.split(/\n\s*\n/).map((paragraph) => paragraph.split(/\r?\n/));

const field = (lines: readonly string[], key: string): string | undefined =>
  lines
    .find((line) => line.startsWith(key))
    ?.slice(key.length)
    .trim();

/** `name`, `name=1.0` (apk) or `name (= 1.0)` (opkg) each; without a version of its own the name has the package's. */
const provided = (entries: readonly string[], version: string): Record<string, string> =>
  Object.fromEntries(
    entries.flatMap((entry) => {
      const [, name, own] = /^([A-Za-z0-9][A-Za-z0-9._+-]*)(?: ?\(?= ?([^\s)]+)\)?)?$/.exec(entry.trim()) ?? [];
      return name === undefined ? [] : [[name, own ?? version]];
    }),
  );

function installedPackage(
  installedName: string,
  version: string,
  abiVersion: string | undefined,
  provides: Record<string, string>,
): InstalledPackage {
  const more = Object.keys(provides).length === 0 ? {} : { provides };
  if (!abiVersion || !installedName.endsWith(abiVersion) || installedName === abiVersion)
    return { name: installedName, installedName, version, ...more };
  return { name: installedName.slice(0, -abiVersion.length), installedName, version, abiVersion, ...more };
}
