import { sha256 } from '../request-hash.ts';

/** Packages that the ImageBuilder brings itself: no index has to say in which version. */
const OWN = new Set(['libc', 'kernel']);

/**
 * Returns a digest of the packages of an image, by which a forecast is compared with what was built. `name` is the name
 * with its ABI version.
 */
export const installedDigest = (packages: readonly { readonly name: string; readonly version: string }[]): string =>
  sha256(
    packages
      .filter(({ name }) => !OWN.has(name))
      .map(({ name, version }) => `${name} ${version}\n`)
      .sort()
      .join(''),
  );
