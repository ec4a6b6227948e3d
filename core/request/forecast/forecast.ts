import type { InstalledPackage } from '#core/package-solver/solve-packages.ts';
import type { Warning } from '#core/warning.ts';

/** The problems of a request's packages. Each code has one meaning, which the OpenAPI document lists. */
export const FORECAST_PROBLEM_CODES = {
  missing: 'No index has the package.',
  virtual: 'The name is not a package: several packages provide it, and the request has to name one of them.',
  version: 'A package needs another one in a version that the indexes do not have.',
  conflict: 'Two packages exclude each other.',
  outdated: 'The request requires a version of the package that upstream does not have.',
} as const satisfies Readonly<Record<string, string>>;

/** One reason why the packages of a request cannot be installed together. */
export interface PackageProblem {
  readonly code: keyof typeof FORECAST_PROBLEM_CODES;
  /** The package that cannot be had, or the first of two that exclude each other. */
  readonly package: string;
  /** The packages that lead to it, from one that the request names or the device has by default. Empty: the request names it. */
  readonly chain: readonly string[];
  /** The problem in words for people, in English. */
  readonly detail: string;
  /** What a person can do about it, in English. Absent: nothing that the server knows. */
  readonly suggestion?: string;
  /** Entries for `packages`, of which one may solve the problem: a similar name, a provider, `-name`. */
  readonly choices?: readonly string[];
  /** The package that excludes it. */
  readonly other?: string;
}

/** A default package that the image would have no more, or not as it is. */
export interface LostDefault {
  readonly package: string;
  /** Whether losing it can lock the owner out of the device, or keep the device from starting. */
  readonly critical: boolean;
}

export interface ReplacedDefault {
  readonly package: string;
  readonly by: string;
}

/** A package that the request removes, and that comes back because another one needs it. */
export interface IneffectiveRemoval {
  readonly package: string;
  /** The packages that lead to it, as in `PackageProblem`. */
  readonly needed_by: readonly string[];
}

/** What the server knows of an image before it is built. */
export interface Forecast {
  /** `yes`: the packages can be installed. `no`: they cannot, because of `problems`. `unsure`: only a build can tell. */
  readonly verdict: 'yes' | 'no' | 'unsure';
  /** Why only a build can tell, in English. Present if the server is unsure. */
  readonly reason?: string;
  /** The packages of the image, sorted by name. Empty unless the verdict is `yes`, or unsure of a complete answer. */
  readonly installed: readonly InstalledPackage[];
  /**
   * Whether `installed` is sure to be exact. It is not where an ImageBuilder that writes no ABI versions behind words would
   * install others, and no runner has looked yet whether it does.
   */
  readonly isExact: boolean;
  readonly problems: readonly PackageProblem[];
  /** Names that ImageBuilder exchanges, with what it puts in their place. */
  readonly rewritten: Readonly<Record<string, readonly string[]>>;
  readonly lostDefaults: readonly LostDefault[];
  readonly replacedDefaults: readonly ReplacedDefault[];
  readonly ineffectiveRemovals: readonly IneffectiveRemoval[];
  readonly warnings: readonly Warning[];
}

/** Returns a forecast that says nothing but why. */
export const unsure = (reason: string): Forecast => ({
  verdict: 'unsure',
  reason,
  installed: [],
  isExact: false,
  problems: [],
  rewritten: {},
  lostDefaults: [],
  replacedDefaults: [],
  ineffectiveRemovals: [],
  warnings: [],
});
