import type { ApkPackage } from '#core/catalogue/apk-index.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';

/** A package file that an index lists. */
export interface PackageFile {
  /** Path below the directory of the index. */
  readonly path: string;
  /** Name under which the package manager keeps it in `dl/`. */
  readonly name: string;
  /** SHA-256 of its bytes. apk's index has a digest of something else, which apk itself checks; some feeds of opkg have none. */
  readonly sha256?: string;
  readonly size?: number;
}

/** A package that an index lists: its file, and what it says of other packages. */
export interface ListedPackage {
  readonly file: PackageFile;
  readonly name: string;
  /** The names of the packages that it needs, without versions. */
  readonly depends: readonly string[];
  /** The names that it stands for besides its own, without versions. */
  readonly provides: readonly string[];
}

/** A path of plain names to a package: an index that lists other files makes the server fetch none of them. */
const PACKAGE_PATH = /^(?:\.\/)?((?:[A-Za-z0-9][A-Za-z0-9._+~-]*\/)*[A-Za-z0-9][A-Za-z0-9._+~-]*\.[ia]pk)$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Beyond it is an attack: all feeds of an architecture together have 11,000. */
const MAX_FILES = 100_000;

/** Returns the packages that opkg's `Packages` lists, by its fields `Filename`, `SHA256sum` and `Size`, and the names in it. */
export function* opkgPackages(index: string): Sliced<ListedPackage[]> {
  const packages: ListedPackage[] = [];
  let fields: Partial<Record<string, string>> = {};
  let namesLeft = MAX_NAMES;
  const names = (list: string | undefined): string[] => {
    const found = list === undefined || namesLeft <= 0 ? [] : namesIn(list);
    namesLeft -= found.length;
    return found;
  };
  const add = (): void => {
    const [, path] = PACKAGE_PATH.exec(fields['Filename'] ?? '') ?? [];
    const sha256 = fields['SHA256sum'] ?? '';
    const name = path?.slice(path.lastIndexOf('/') + 1);
    if (path !== undefined && name !== undefined && packages.length < MAX_FILES)
      packages.push({
        file: { path, name, ...(DIGEST.test(sha256) && { sha256 }), ...sizeOf(fields['Size']) },
        name: fields['Package'] ?? '',
        depends: names(fields['Depends']),
        provides: names(fields['Provides']),
      });
    fields = {};
  };
  for (let start = 0, lines = 1; start < index.length; lines++) {
    if (lines % PIECE === 0) yield;
    const newline = index.indexOf('\n', start);
    const end = newline === -1 ? index.length : newline;
    if (end === start) add();
    else if (FIRST_LETTERS.includes(index.charAt(start))) {
      const colon = index.slice(start, Math.min(end, start + MAX_FIELD_NAME)).indexOf(':');
      const name = colon === -1 ? '' : index.slice(start, start + colon);
      if (FIELDS.has(name)) fields[name] = index.slice(start + colon + 1, Math.min(end, start + MAX_LINE)).trim();
    }
    start = end + 1;
  }
  add();
  return packages;
}

/** Returns the files that opkg's `Packages` lists. */
export function* opkgPackageFiles(index: string): Sliced<PackageFile[]> {
  return (yield* opkgPackages(index)).map(({ file }) => file);
}

const FIELDS: ReadonlySet<string> = new Set(['Package', 'Filename', 'SHA256sum', 'Size', 'Depends', 'Provides']);
/** Most lines begin with another letter, and are passed over. */
const FIRST_LETTERS = 'PFSD';
const MAX_FIELD_NAME = 12;
const MAX_LINE = 4096;

/** The limit on all names in `Depends` and `Provides`: the largest feed has 60,000. */
const MAX_NAMES = 500_000;

/** Returns the names in a list like `libc, kernel (= 6.6.93)`. */
const namesIn = (list: string): string[] =>
  list.split(',').map((entry) => {
    const text = entry.trim();
    const end = text.search(/[\s(=<>~]/);
    return end === -1 ? text : text.slice(0, end);
  });

const sizeOf = (text: string | undefined): { size?: number } =>
  text !== undefined && /^\d{1,12}$/.test(text) ? { size: Number(text) } : {};

/**
 * Returns the packages that apk's index lists, with their files. apk asks for `<name>-<version>.apk` and keeps it under a
 * name that has the beginning of the package's identity too (docs/imagebuilder.md §12).
 */
export function* apkPackages(packages: readonly ApkPackage[]): Sliced<ListedPackage[]> {
  const listed: ListedPackage[] = [];
  for (const [index, { name, version, identity, depends = [], provides }] of packages.entries()) {
    if (index % PIECE === PIECE - 1) yield;
    const [, path] = PACKAGE_PATH.exec(`${name}-${version}.apk`) ?? [];
    if (path === undefined || path.includes('/') || listed.length >= MAX_FILES) continue;
    const file = { path, name: identity === undefined ? path : `${name}-${version}.${identity.slice(0, 8)}.apk` };
    listed.push({ file, name, depends, provides });
  }
  return listed;
}

/** Returns the files of the packages that apk's index lists. */
export function* apkPackageFiles(packages: readonly ApkPackage[]): Sliced<PackageFile[]> {
  return (yield* apkPackages(packages)).map(({ file }) => file);
}
