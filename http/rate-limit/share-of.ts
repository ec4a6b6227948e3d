/** What one client may have under way while others wait: as given, else a tenth of the queue, and never nothing by default. */
export const shareOf = (given: number | undefined, maxPendingBuilds: number): number =>
  given ?? Math.max(1, Math.floor(maxPendingBuilds / 10));
