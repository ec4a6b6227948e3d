import { isSkipped } from './canonical-packages.ts';
import type { PackageChange, ResolvedPackages } from './resolve-packages.ts';

/**
 * Returns the list without the packages that upstream marks, with a tilde, as built but not installed. Clients copy them
 * from upstream's list of a device; an image never has them.
 */
export function withoutSkipped(list: ResolvedPackages): ResolvedPackages {
  const skipped = list.packages.filter(isSkipped);
  if (skipped.length === 0) return list;
  return {
    packages: list.packages.filter((name) => !isSkipped(name)),
    packagesVersions: Object.fromEntries(Object.entries(list.packagesVersions).filter(([name]) => !isSkipped(name))),
    changes: [...list.changes, ...skipped.map(removalOf)],
  };
}

const removalOf = (name: string): PackageChange => ({
  type: 'removal',
  action: 'remove',
  package: name,
  reason: 'Upstream marks this package as one that is not installed',
  automatic: true,
});
