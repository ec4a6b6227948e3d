import { GREATER, LESS, type Relation } from '../index/index-package.ts';
import { compareOpkgVersions } from './compare-opkg-versions.ts';

/** Returns whether a package's version fits a dependency or a conflict. An equal version fits every operator. */
export function fitsVersion({ accepts, version }: Relation, provided: string): boolean {
  if (accepts === 0) return true;
  const order = compareOpkgVersions(provided, version);
  return order === 0 || (accepts & (order < 0 ? LESS : GREATER)) !== 0;
}
