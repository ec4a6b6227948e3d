import type { Relation } from '../index/index-package.ts';
import { compareApkVersions } from './compare-apk-versions.ts';

/** Returns whether a provided version fits a dependency. For a conflict, it fits if it is not the excluded one. */
export function fitsVersion({ version, accepts, isFuzzy, isConflict }: Relation, provided: string): boolean {
  const isMatch = accepts === 0 || (compareApkVersions(provided, version, isFuzzy) & accepts) !== 0;
  return isMatch !== isConflict;
}
