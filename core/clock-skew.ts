/**
 * The largest difference between the clocks of two machines, in seconds, with which every promise holds: 30 on either
 * side of the true time. A stored time that is further ahead comes from a clock that was set back later.
 */
export const MAX_CLOCK_SKEW_SECONDS = 60;

/** Returns the latest time that a correct clock can have written by now. */
export const latestPlausible = (now: Date): Date => new Date(now.getTime() + MAX_CLOCK_SKEW_SECONDS * 1000);
