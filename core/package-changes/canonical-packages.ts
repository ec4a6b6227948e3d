export interface CanonicalPackagesInput {
  /** The resolved packages; `-name` is a removal. */
  readonly packages: readonly string[];
  /** Whether `packages` is the whole list, so that all other packages are removed. */
  readonly diffPackages: boolean;
  /** The default packages of the target, with `-name` entries. */
  readonly defaultPackages: readonly string[];
  /** The packages of the profile, with `-name` entries. */
  readonly profilePackages: readonly string[];
}

/** Returns whether upstream marks the package, with a tilde, as one that is built but not installed. */
export const isSkipped = (name: string): boolean => name.startsWith('~');

/**
 * Returns the list for ImageBuilder. With `diffPackages` it begins with `-p` for each default or profile package that
 * the request lacks. An entry that is itself a removal stays, unless the request names the package: in the list of the
 * request a removal would beat it, while that of a device alone does not. ImageBuilder does not know what a tilde means and would
 * install `~name`, so the list always begins with `-~name` for each such package. The requested packages follow. Both
 * parts are sorted and have no repetitions, so requests that mean the same image give the same command. Otherwise the removals
 * are those of diff_packages in asu/util.py.
 */
export function canonicalPackages({ packages, diffPackages, defaultPackages, profilePackages }: CanonicalPackagesInput): string[] {
  const asked = [...new Set(packages)].sort();
  const isAsked = new Set(asked);
  const removals = [...defaultPackages, ...profilePackages]
    .filter((name) => isSkipped(name) || (diffPackages && !isAsked.has(name) && !isAsked.has(name.replace(/^-/, ''))))
    .map((name) => (name.startsWith('-') ? name : `-${name}`));
  return [...new Set([...new Set(removals.sort()), ...asked])];
}
