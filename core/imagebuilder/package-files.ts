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

/** A path of plain names to a package: an index that lists other files makes the server fetch none of them. */
const PACKAGE_PATH = /^(?:\.\/)?((?:[A-Za-z0-9][A-Za-z0-9._+~-]*\/)*[A-Za-z0-9][A-Za-z0-9._+~-]*\.[ia]pk)$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Beyond it is an attack: all feeds of an architecture together have 11,000. */
const MAX_FILES = 100_000;

/** The files that opkg's `Packages` lists, by its fields `Filename`, `SHA256sum` and `Size`. */
export function* opkgPackageFiles(index: string): Sliced<PackageFile[]> {
  const files: PackageFile[] = [];
  let fields: Partial<Record<string, string>> = {};
  const add = (): void => {
    const [, path] = PACKAGE_PATH.exec(fields['Filename'] ?? '') ?? [];
    const sha256 = fields['SHA256sum'] ?? '';
    const name = path?.slice(path.lastIndexOf('/') + 1);
    if (path !== undefined && name !== undefined && files.length < MAX_FILES)
      files.push({ path, name, ...(DIGEST.test(sha256) && { sha256 }), ...sizeOf(fields['Size']) });
    fields = {};
  };
  for (let start = 0, lines = 1; start < index.length; lines++) {
    if (lines % PIECE === 0) yield;
    const newline = index.indexOf('\n', start);
    const end = newline === -1 ? index.length : newline;
    if (end === start) add();
    else {
      const [, name, value] = FIELD.exec(index.slice(start, Math.min(end, start + MAX_LINE))) ?? [];
      if (name !== undefined) fields[name] = value;
    }
    start = end + 1;
  }
  add();
  return files;
}

const FIELD = /^(Filename|SHA256sum|Size): *(\S+)\s*$/;
const MAX_LINE = 1024;

const sizeOf = (text: string | undefined): { size?: number } =>
  text !== undefined && /^\d{1,12}$/.test(text) ? { size: Number(text) } : {};

/**
 * The files of the packages that apk's index lists. apk asks for `<name>-<version>.apk` and keeps it under a name that has the
 * beginning of the package's identity too (docs/imagebuilder.md §12).
 */
export function* apkPackageFiles(packages: readonly ApkPackage[]): Sliced<PackageFile[]> {
  const files: PackageFile[] = [];
  for (const [index, { name, version, identity }] of packages.entries()) {
    if (index % PIECE === PIECE - 1) yield;
    const [, path] = PACKAGE_PATH.exec(`${name}-${version}.apk`) ?? [];
    if (path === undefined || path.includes('/') || files.length >= MAX_FILES) continue;
    files.push({ path, name: identity === undefined ? path : `${name}-${version}.${identity.slice(0, 8)}.apk` });
  }
  return files;
}
