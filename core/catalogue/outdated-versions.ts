import type { PackageIndex } from './catalogue.ts';
import { ALWAYS_KNOWN, KNOWN_NAMES, type KnownNames } from './package-index.ts';

/** A package that a request requires in one version, while upstream has another. */
export interface OutdatedVersion {
  readonly name: string;
  readonly required: string;
  readonly found: string;
}

/**
 * Returns the packages whose required version the build cannot install, because the feeds have another. A package counts
 * only where nothing else can bring the required version: the index is whole, one feed alone lists the name, in one
 * version, and no other package provides it. The ImageBuilder itself may bring the packages of the target, so those do
 * not count.
 */
export function outdatedVersions(
  packagesVersions: Readonly<Record<string, string>>,
  index: PackageIndex,
  names: KnownNames = KNOWN_NAMES,
): OutdatedVersion[] {
  const { feeds, target, uncertain } = index;
  if (!index.complete || uncertain === undefined) return [];
  const aliases = names.aliases(index);
  return Object.entries(packagesVersions).flatMap(([name, required]) => {
    const isCertain =
      Object.hasOwn(feeds, name) &&
      !Object.hasOwn(target, name) &&
      !aliases.has(name) &&
      !ALWAYS_KNOWN.has(name) &&
      !uncertain.includes(name);
    const found = isCertain ? feeds[name] : undefined;
    return required === '' || found === undefined || found === required ? [] : [{ name, required, found }];
  });
}
