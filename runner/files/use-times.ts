/**
 * Dates for what is used, each later than the one before: what was used least recently is the oldest, also when the clock is set back
 * meanwhile.
 */
export function useTimes(): () => Date {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 1);
    return new Date(last);
  };
}
