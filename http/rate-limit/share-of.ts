/** The number of builds that one client may have under way while others wait: as given, else a tenth of the queue, at least one. */
export const shareOf = (given: number | undefined, maxPendingBuilds: number): number =>
  given ?? Math.max(1, Math.floor(maxPendingBuilds / 10));
