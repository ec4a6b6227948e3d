import type { Sliced } from '#lib/sliced.ts';
import { DEPENDENCY, isConflict, PACKAGE, readAdbPackages } from './adb-packages.ts';

/** A package in apk's index. */
export interface ApkPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Names only, without versions. */
  readonly provides: readonly string[];
  /** `openwrt:abiversion=20240329` and the like. */
  readonly tags: readonly string[];
  /** The names that the package excludes, if any. */
  readonly conflicts?: readonly string[];
  /** What apk knows the package by, in hexadecimal digits: a digest of its description. Absent in indexes that leave it out. */
  readonly identity?: string;
  /** The names of the packages that it needs, without versions. Present for `base-files`, and if the reader asked for them. */
  readonly depends?: readonly string[];
}

/** About how many texts a package has. */
const TEXTS = 10;

/** Returns the packages in apk's `packages.adb`, unpacked, without what only a solver needs. */
export const parseApkIndex = (bytes: Uint8Array, { withDepends = false } = {}): Sliced<ApkPackage[]> =>
  readAdbPackages(bytes, TEXTS, ({ text, texts, hex, dependencies, tree }) => {
    const nameOf = (dependency: readonly number[]) => tree.text(dependency[DEPENDENCY.name] ?? 0);
    const identity = hex(PACKAGE.identity);
    const depended = dependencies(PACKAGE.depends);
    const excludes = (dependency: readonly number[]) => isConflict(dependency[DEPENDENCY.match]);
    const conflicts = depended.filter(excludes).map(nameOf);
    const name = text(PACKAGE.name);
    return {
      ...((withDepends || name === 'base-files') && { depends: depended.filter((dependency) => !excludes(dependency)).map(nameOf) }),
      ...(identity !== '' && { identity }),
      name,
      version: text(PACKAGE.version),
      arch: text(PACKAGE.arch),
      provides: dependencies(PACKAGE.provides).map(nameOf),
      tags: texts(PACKAGE.tags),
      ...(conflicts.length > 0 && { conflicts }),
    };
  });
