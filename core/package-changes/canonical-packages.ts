export interface CanonicalPackagesInput {
  /** Resolved: what is asked for, `-name` for a removal. */
  readonly packages: readonly string[];
  /** `packages` is the whole list: what the image would have besides is removed. */
  readonly diffPackages: boolean;
  /** Default packages of the target, `-name` included. */
  readonly defaultPackages: readonly string[];
  /** Packages of the profile, `-name` included. */
  readonly profilePackages: readonly string[];
}

/**
 * The list that ImageBuilder is given: first, with `diffPackages`, `-p` for each default or profile package that was not
 * asked for (one that is itself a removal stays as it is), then what was asked for; both sorted, nothing twice. So requests
 * that mean the same image give the same command. The removals are those of diff_packages in asu/util.py.
 */
export function canonicalPackages({ packages, diffPackages, defaultPackages, profilePackages }: CanonicalPackagesInput): string[] {
  const asked = [...new Set(packages)].sort();
  if (!diffPackages) return asked;
  const isAsked = new Set(asked);
  const removals = [...defaultPackages, ...profilePackages]
    .filter((name) => !isAsked.has(name))
    .map((name) => (name.startsWith('-') ? name : `-${name}`));
  return [...new Set([...new Set(removals.sort()), ...asked])];
}
