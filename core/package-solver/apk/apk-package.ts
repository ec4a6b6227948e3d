import { compareApkVersions, EQUAL } from './compare-apk-versions.ts';

/** A package of apk's index, with what decides whether it is installed. */
export interface ApkSolverPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly depends: readonly ApkDependency[];
  readonly provides: readonly ApkProvide[];
  /** Apk installs the package when all of these are there. */
  readonly installIf: readonly ApkDependency[];
  /** Ranks the providers of a name. Without one, a provider without version is never chosen by itself. */
  readonly priority: number;
  readonly tags: readonly string[];
  /** What apk knows the package by: the same one in two indexes is one package. */
  readonly identity: string;
}

/** A name that a package answers to. The version is empty where it has none. */
export interface ApkProvide {
  readonly name: string;
  readonly version: string;
}

export interface ApkDependency {
  readonly name: string;
  /** Empty: any version. */
  readonly version: string;
  /** The accepted results of `compareApkVersions`; 0 accepts any version, or the presence of the name. */
  readonly accepts: number;
  /** Whether a version is accepted that begins with this one. */
  readonly isFuzzy: boolean;
  /** Whether the package excludes what fits. */
  readonly isConflict: boolean;
}

/** Returns whether a provided version fits a dependency. For a conflict, it fits if it is not the excluded one. */
export function fitsVersion({ version, accepts, isFuzzy, isConflict }: ApkDependency, provided: string): boolean {
  const isMatch = accepts === 0 || (compareApkVersions(provided, version, isFuzzy) & accepts) !== 0;
  return isMatch !== isConflict;
}

/** Returns the dependency `name=version`, or that on any version. */
export const plainDependency = (name: string, version = ''): ApkDependency => ({
  name,
  version,
  accepts: version === '' ? 0 : EQUAL,
  isFuzzy: false,
  isConflict: false,
});
