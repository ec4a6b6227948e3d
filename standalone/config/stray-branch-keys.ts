import { closestName } from './closest-name.ts';
import type { Given } from './given-settings.ts';
import { SETTING_NAMES } from './settings.ts';

const BRANCH_KEYS = ['path', 'enabled', 'snapshot', 'path_packages', 'branch_off_rev', 'package_changes', 'name'];
/** Keys that branches of the reference server may have, and that no code reads. */
const UNUSED_KEYS = ['versions', 'targets', 'git_branch', 'extra_repos'];

/**
 * Warns of keys in branches that have no meaning. In TOML, a setting written below `[branches…]` becomes a key of the
 * branch.
 */
export function strayBranchKeys(given: Given | undefined): string[] {
  if (given === undefined) return [];
  return Object.entries(JSON.parse(given.text) as Record<string, object>).flatMap(([branch, keys]) =>
    Object.keys(keys)
      .filter((key) => !BRANCH_KEYS.includes(key) && !UNUSED_KEYS.includes(key))
      .map((key) => {
        const isSetting = SETTING_NAMES.some((name) => name.replace(/^ASU_/, '') === key.toUpperCase());
        const meant = closestName(key, BRANCH_KEYS);
        const hint = isSetting ? '; settings belong above the first table' : meant === undefined ? '' : `; is ${meant} meant?`;
        return `${given.as} (${given.where}): ${branch}.${key} is no setting of a branch${hint}`;
      }),
  );
}
