/**
 * How a version compares with another one, a bit each. An operator is the set of the results that it accepts: `>=` is
 * `GREATER | EQUAL`.
 */
export const EQUAL = 1;
export const LESS = 2;
export const GREATER = 4;

/** A name with an optional constraint on the version, in a package's dependencies, conflicts or conditions. */
export interface Relation {
  readonly name: string;
  readonly version: string;
  /** The accepted results of the comparison; 0 accepts any version, or the presence of the name. */
  readonly accepts: number;
  /** Whether apk accepts each version that begins with this one. */
  readonly isFuzzy: boolean;
  /** Whether apk's package excludes what fits. */
  readonly isConflict: boolean;
}

/** A need of a package: one of the alternatives is enough. Apk's dependencies have one each. */
export interface Dependency {
  readonly alternatives: readonly Relation[];
  /** Whether opkg takes all providers of the names whose own needs are met already (a star in the field). */
  readonly isGreedy: boolean;
}

/** A name that a package answers to. The version is empty where it has none, as always for opkg. */
export interface Provided {
  readonly name: string;
  readonly version: string;
}

/** A package of an index, with all that decides whether it is installed, and what a person wants to know of it. */
export interface IndexPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly depends: readonly Dependency[];
  /** What opkg does not install beside it. Apk's conflicts are among the dependencies. */
  readonly conflicts: readonly Relation[];
  readonly provides: readonly Provided[];
  /** Apk installs the package when all of these are there. */
  readonly installIf: readonly Relation[];
  /** Apk ranks the providers of a name by it. Without one, a provider without version is never chosen by itself. */
  readonly priority: number;
  readonly tags: readonly string[];
  /** What apk knows the package by: the same one in two indexes is one package. Empty where it has none. */
  readonly identity: string;
  /** Whether it uses what the solver does not follow: opkg's Replaces or Recommends. */
  readonly isBeyond: boolean;
  /** Bytes of the package file and of the installed files; 0 where the index does not say it. */
  readonly downloadSize: number;
  readonly installedSize: number;
  /** One line, or empty. */
  readonly description: string;
}

/** Returns a package that needs, provides and excludes nothing. */
export const plainPackage = (name: string, version: string, arch: string): IndexPackage => ({
  name,
  version,
  arch,
  depends: [],
  conflicts: [],
  provides: [],
  installIf: [],
  priority: 0,
  tags: [],
  identity: '',
  isBeyond: false,
  downloadSize: 0,
  installedSize: 0,
  description: '',
});

/** Returns the relation `name=version`, or that on any version. */
export const plainRelation = (name: string, version = ''): Relation => ({
  name,
  version,
  accepts: version === '' ? 0 : EQUAL,
  isFuzzy: false,
  isConflict: false,
});

const SIGNS: Readonly<Record<number, string>> = { 1: '=', 2: '<', 3: '<=', 4: '>', 5: '>=' };

/** Returns the relation in a notation that both package managers' users read: `kernel=6.12.74~8817-r1`. */
export function textOf({ name, version, accepts, isFuzzy }: Relation): string {
  if (accepts === 0) return name;
  const sign = isFuzzy ? `${accepts === EQUAL ? '' : (SIGNS[accepts & (LESS | GREATER)] ?? '')}~` : (SIGNS[accepts] ?? '?');
  return `${name}${sign}${version}`;
}
