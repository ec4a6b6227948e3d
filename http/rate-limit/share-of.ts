/**
 * Returns the number of unfinished builds that one client may have while others wait: the given one, else a tenth of
 * the queue and at least one.
 */
export const shareOf = (given: number | undefined, maxPendingBuilds: number): number =>
  given ?? Math.max(1, Math.floor(maxPendingBuilds / 10));
