/**
 * Which receipts of this process are current: received, not used up, their visibility not lapsed by this process's own clock
 * (monotonic, so that a change of the time of day neither revives nor kills one).
 */
export function currentReceipts(now: () => number = () => performance.now()) {
  const lapseAt = new Map<string, number>();

  const isCurrent = (receipt: string): boolean => (lapseAt.get(receipt) ?? 0) > now();
  return {
    isCurrent,
    /** From now on current for so many seconds. */
    add(receipt: string, seconds: number): void {
      for (const [old, time] of lapseAt) if (time <= now()) lapseAt.delete(old);
      lapseAt.set(receipt, now() + seconds * 1000);
    },
    /** Whether it was current; it is not any more. */
    take(receipt: string): boolean {
      const was = isCurrent(receipt);
      lapseAt.delete(receipt);
      return was;
    },
  };
}
