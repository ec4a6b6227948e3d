/** Why packages cannot be installed together. */
export interface SolverProblem {
  /**
   * `missing`: no index has the name. `virtual`: several packages provide the name, and the request has to choose.
   * `version`: the package is only there in another version. `conflict`: two packages exclude each other.
   */
  readonly code: 'missing' | 'virtual' | 'version' | 'conflict';
  /** The name that cannot be had, or the first of the two packages. */
  readonly package: string;
  /** The names that lead to it, from the one that was asked for to the one that needs it. Empty if it was asked for itself. */
  readonly chain: readonly string[];
  /** What is needed in words of the package manager, if more than the name: `kernel=6.12.74~8817-r1`. */
  readonly needed?: string;
  /** The package that excludes it. */
  readonly other?: string;
  /** The packages to choose from. */
  readonly providers?: readonly string[];
}
