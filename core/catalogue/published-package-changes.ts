import type { PackageRule } from '#core/package-changes/package-rule.ts';
import { PACKAGE_RULES } from '#core/package-changes/package-rules.ts';
import type { Branch, PublishedPackageChange } from './branches.ts';

/**
 * Returns the package changes of a branch for branches.json and overview.json: the changes up to the revision where it
 * left the main line, all of them for the main line itself, the operator's own list where there is one, and nothing
 * (`undefined`) for a branch of which none of this is known. Same as package_changes in asu/config.py.
 */
export function publishedPackageChanges(branch: Branch): readonly PublishedPackageChange[] | undefined {
  if (branch.package_changes !== undefined) return branch.package_changes;
  const newest = branch.snapshot === true ? Number.POSITIVE_INFINITY : branch.branch_off_rev;
  if (newest === undefined) return undefined;
  return PACKAGE_RULES.flatMap(published).filter(({ revision }) => revision <= newest);
}

function published({ action, published }: PackageRule): PublishedPackageChange[] {
  if (published === undefined) return [];
  if (action.kind === 'replace') return [{ source: action.from, target: action.to, ...published }];
  if (action.kind === 'remove') return [{ source: action.package, ...published }];
  return [];
}
