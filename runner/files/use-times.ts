/**
 * Returns a function that returns the current time, always later than the time before. The oldest time therefore
 * belongs to the least recently used item, even when the clock is set back meanwhile.
 */
export function useTimes(): () => Date {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 1);
    return new Date(last);
  };
}
