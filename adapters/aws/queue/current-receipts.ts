/**
 * Returns the record of the receipts of this process that are current: received, not used, and with a visibility that
 * has not lapsed. The clock is monotonic, so that a change of the time of day neither revives nor ends a receipt.
 */
export function currentReceipts(now: () => number = () => performance.now()) {
  const lapseAt = new Map<string, number>();

  const isCurrent = (receipt: string): boolean => (lapseAt.get(receipt) ?? 0) > now();
  return {
    isCurrent,
    /** Makes the receipt current for so many seconds from now. */
    add(receipt: string, seconds: number): void {
      for (const [old, time] of lapseAt) if (time <= now()) lapseAt.delete(old);
      lapseAt.set(receipt, now() + seconds * 1000);
    },
    /** Returns whether the receipt was current, and ends it. */
    take(receipt: string): boolean {
      const was = isCurrent(receipt);
      lapseAt.delete(receipt);
      return was;
    },
  };
}
