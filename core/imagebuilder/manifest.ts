import { eachLine } from '#lib/lines.ts';

/** A package in the root file system of a build. */
export interface InstalledPackage {
  /** The name without ABI version, which clients and feeds use: `libubox`. */
  readonly name: string;
  /** The name with ABI version: `libubox20240329`. The same as `name` for packages without one. */
  readonly installedName: string;
  readonly version: string;
  readonly abiVersion?: string;
  /** Its other names, each with its version under that name. */
  readonly provides?: Readonly<Record<string, string>>;
}

/** package name → version. */
export type Manifest = Readonly<Record<string, string>>;

const MANIFEST_LINE = /^([A-Za-z0-9][A-Za-z0-9._+-]*)(?: - | )(\S+)$/;

/**
 * Reads what `make manifest` prints: `name - version`, or `name version` as apk ImageBuilders did at first. Other lines
 * are ignored.
 */
export function parseManifest(text: string): Manifest {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, version] = MANIFEST_LINE.exec(line.trimEnd()) ?? [];
      return name === undefined || version === undefined ? [] : [[name, version]];
    }),
  );
}

/**
 * Reads opkg's database, `usr/lib/opkg/status` below the root: paragraphs of `Key: value` lines. Throws
 * `PackageDatabaseError`.
 */
export const parseOpkgStatus = (text: string): InstalledPackage[] =>
  installedPackages(text, ['Package: ', 'Version: ', 'Status: ', 'ABIVersion: ', 'Provides: '], ([name, version, status, abi, provides]) =>
    name === undefined || version === undefined || !status?.endsWith(' installed')
      ? undefined
      : installedPackage(name, version, abi, provided(provides?.split(',') ?? [], version)),
  );

/**
 * Reads apk's database, `lib/apk/db/installed` below the root: paragraphs of one-letter keys. The ABI version is one of
 * the package's tags (`g:`), where include/package-pack.mk of OpenWrt puts it. Throws `PackageDatabaseError`.
 */
export const parseApkInstalled = (text: string): InstalledPackage[] =>
  installedPackages(text, ['P:', 'V:', 'g:', 'p:'], ([name, version, tags, provides]) =>
    name === undefined || version === undefined
      ? undefined
      : installedPackage(name, version, abiTag(tags), provided(provides?.split(' ') ?? [], version)),
  );

/** The package database of an image has more entries than that of any device, so a package script wrote it. */
export class PackageDatabaseError extends Error {
  override readonly name = 'PackageDatabaseError';
}

/** A request may name 1,000 packages. The fullest images have a few thousand. */
const MAX_INSTALLED = 10_000;
/** The characters of the other names of all packages together. */
const MAX_PROVIDES_LENGTH = 1024 * 1024;
/** apk's database has three lines for each file; the largest images have some ten thousand files. */
const MAX_DATABASE_LINES = 300_000;
/** busybox provides some hundred commands. */
const MAX_DATABASE_LINE = 64 * 1024;

/**
 * Returns a package for each paragraph that `make` turns into one. `make` gets the first value of each key; the last
 * key has other names.
 */
function installedPackages(
  text: string,
  keys: readonly string[],
  make: (values: readonly (string | undefined)[]) => InstalledPackage | undefined,
): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  let values: (string | undefined)[] = [];
  let lines = 0;
  let providesLength = 0;
  const endParagraph = (): void => {
    if (values.length === 0) return;
    providesLength += values[keys.length - 1]?.length ?? 0;
    if (providesLength > MAX_PROVIDES_LENGTH) throw new PackageDatabaseError(`other names of more than ${MAX_PROVIDES_LENGTH} characters`);
    const made = make(values);
    values = [];
    if (made !== undefined) packages.push(made);
    if (packages.length > MAX_INSTALLED) throw new PackageDatabaseError(`more than ${MAX_INSTALLED} packages`);
  };
  eachLine(text, (line) => {
    lines += 1;
    if (lines > MAX_DATABASE_LINES) throw new PackageDatabaseError(`more than ${MAX_DATABASE_LINES} lines`);
    if (line.length > MAX_DATABASE_LINE) throw new PackageDatabaseError(`a line of more than ${MAX_DATABASE_LINE} characters`);
    const key = keys.findIndex((start) => line.startsWith(start));
    if (key !== -1) values[key] ??= line.slice(keys[key]?.length).trim();
    else if (line.trim() === '') endParagraph();
    return undefined;
  });
  endParagraph();
  return packages;
}

/** Returns the manifest as `make manifest STRIP_ABI=1` prints it: sorted names without ABI version. */
export function manifestOf(installed: readonly InstalledPackage[]): Manifest {
  const sorted = installed.toSorted((a, b) => order(a.name, b.name) || order(a.installedName, b.installedName));
  return Object.fromEntries(sorted.map(({ name, version }) => [name, version]));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const ABI_TAG = 'openwrt:abiversion=';

const abiTag = (tags: string | undefined): string | undefined =>
  tags
    ?.split(' ')
    .find((tag) => tag.startsWith(ABI_TAG))
    ?.slice(ABI_TAG.length)
    .trim();

/** Reads `name`, `name=1.0` (apk) or `name (= 1.0)` (opkg). A name without a version has that of the package. */
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
