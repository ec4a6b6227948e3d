import type { RequestCounts } from './counts.ts';

/** Some counts were written, and those in `left` were not: writing all of them again would count the others twice. */
export class PartlyCountedError extends Error {
  override readonly name = 'PartlyCountedError';
  readonly left: RequestCounts;
  constructor(left: RequestCounts, options?: ErrorOptions) {
    super('only a part of the requests could be counted', options);
    this.left = left;
  }
}
