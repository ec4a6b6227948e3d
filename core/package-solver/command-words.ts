export interface ImageSelection {
  /** The packages of the request, as `PACKAGES=` has them: `-name` is a removal. */
  readonly packages: readonly string[];
  /** The default packages of the target and the packages of the device, with `-name` entries. */
  readonly defaultPackages: readonly string[];
  readonly devicePackages: readonly string[];
}

/**
 * Returns the words that ImageBuilder passes to the package manager (BUILD_PACKAGES in its Makefile): those of the
 * request, then the default ones and those of the device, sorted. A removal among the defaults or the device's packages
 * takes its package from both; one in the request takes it from everything. A removal only leaves a word out: the
 * package comes back if another one needs it.
 */
export function commandWords({ packages, defaultPackages, devicePackages }: ImageSelection): string[] {
  const own = withoutRemoved([...defaultPackages, ...devicePackages, 'kernel']);
  return withoutRemoved([...packages, ...[...new Set(own)].sort()]);
}

function withoutRemoved(words: readonly string[]): string[] {
  const removed = new Set(words.filter((word) => word.startsWith('-')).map((word) => word.slice(1)));
  return words.filter((word) => !word.startsWith('-') && !removed.has(word));
}
