import type { TargetRecord } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from './build-request.ts';

/** The part of a request that decides which packages an image is made of. */
export type PackageRequest = Pick<BuildRequest, 'diff_packages' | 'profile'> & { readonly packages: readonly string[] };

/** The part of a target's record that decides which packages an image has by default. */
export type DefaultPackages = Pick<TargetRecord, 'defaultPackages' | 'profiles'>;

/**
 * Returns the packages that the lists name for an image: those of the request and, unless they replace these, those that
 * the target and the device have by default, without what any of the lists removes. Packages that come in only as
 * dependencies are not listed.
 */
export function imagePackages({ packages, diff_packages: isWholeList, profile }: PackageRequest, record: DefaultPackages): string[] {
  return withoutRemoved(isWholeList ? packages : [...record.defaultPackages, ...ownPackages(record, profile), ...packages]);
}

/** Returns the packages of the device itself, with `-name` entries. */
export const ownPackages = ({ profiles }: Pick<TargetRecord, 'profiles'>, profile: string): readonly string[] =>
  profiles[profile]?.devicePackages ?? [];

/** Returns the names that stay once the removals in the same list have applied. */
export function withoutRemoved(packages: readonly string[]): string[] {
  const removed = new Set(packages.filter((name) => name.startsWith('-')).map((name) => name.slice(1)));
  return [...new Set(packages.filter((name) => !name.startsWith('-') && !removed.has(name)))];
}
