import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import type { Warning } from '#core/warning.ts';
import { type DefaultPackages, imagePackages, type PackageRequest } from './image-packages.ts';

/** An image with more conflicts than this has one cause. */
const MAX_CONFLICTS = 20;

/**
 * Returns a warning for each two packages of the image of which one declares a conflict with the other. opkg looks only
 * at the package that it is about to install, so whether it refuses the two depends on their order: the request's order
 * may be refused where the one that the server builds in is not. Only packages that the lists name are compared.
 */
export function declaredConflicts(request: PackageRequest, record: DefaultPackages, index: PackageIndex | undefined): Warning[] {
  const conflicts = index?.conflicts;
  if (conflicts === undefined) return [];
  const names = imagePackages(request, record);
  const isListed = new Set(names);
  const found = new Map<string, Warning>();
  for (const name of names) {
    if (!Object.hasOwn(conflicts, name)) continue;
    for (const other of conflicts[name] ?? []) {
      const packages = [name, other].sort();
      if (other === name || !isListed.has(other) || found.has(packages.join(' '))) continue;
      found.set(packages.join(' '), warningOf(name, other, packages, request.packages));
      if (found.size >= MAX_CONFLICTS) return [...found.values()];
    }
  }
  return [...found.values()];
}

function warningOf(name: string, other: string, packages: readonly string[], asked: readonly string[]): Warning {
  const byDefault = packages.find((one) => !asked.includes(one));
  const remedy = byDefault === undefined ? 'Leave out one of them' : `-${byDefault} leaves out ${byDefault}, which is there by default`;
  return {
    code: 'packages_conflict',
    severity: 'strong',
    detail: `${name} declares a conflict with ${other}: the build may fail, or the image may not work as expected. ${remedy}.`,
    packages,
  };
}
