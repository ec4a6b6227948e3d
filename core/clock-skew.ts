/**
 * How far the clocks of two machines may be apart, in seconds, and everything still holds: 30 on either side of the true time.
 * A stored time that lies further ahead was written by a clock that has been set back since.
 */
export const MAX_CLOCK_SKEW_SECONDS = 60;

/** The latest time that a clock in order can have written by now. */
export const latestPlausible = (now: Date): Date => new Date(now.getTime() + MAX_CLOCK_SKEW_SECONDS * 1000);
