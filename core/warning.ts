/**
 * The subjects of warnings. Each code has one meaning, which the OpenAPI document lists; the values are for people, in
 * English.
 */
export const WARNING_CODES = {
  essential_packages_missing: 'The package list replaces the default packages and lacks some that the device needs.',
  images_left_out:
    'The images of a root file system that does not fit the device were left out. The request did not ask for one file system.',
  removal_left_out:
    'A package that upstream lists for the device could not be removed, because its name has characters that make would misread.',
  packages_conflict: 'One of two packages of the image declares a conflict with the other.',
  declared_conflict:
    'A package of the image declares a conflict with another one that comes along, and the package manager installs both all the same.',
  packages_impossible:
    'The packages cannot be installed together as far as the server can tell. It builds because its operator wants it to.',
  defaults_not_compared:
    'The request asks for the packages that upstream has added to the default ones since its `from_version`, and the default packages of the two versions could not be compared. None was added.',
  feeds_changed: 'A package feed changed after the request was accepted. The image has the packages of the newer one.',
  upstream_unreachable: 'Upstream did not answer. The image was made from what the server had downloaded and verified before.',
} as const satisfies Readonly<Record<string, string>>;

export type WarningCode = keyof typeof WARNING_CODES;

/**
 * Something about an accepted request, or about the image that was made of it, that its owner may not have meant. A
 * warning refuses nothing.
 */
export interface Warning {
  readonly code: WarningCode;
  /** `strong`: the device may not work as its owner expects, or may not be reachable. */
  readonly severity: 'note' | 'strong';
  /** The warning in words for people, in English. */
  readonly detail: string;
  /** The packages that the warning is about. */
  readonly packages?: readonly string[];
}

/** Returns the part of an answer that carries warnings: nothing when there are none. */
export const warningsPart = (warnings: readonly Warning[] = []): { readonly warnings?: readonly Warning[] } =>
  warnings.length > 0 ? { warnings } : {};
