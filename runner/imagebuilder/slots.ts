/** Small numbers for builds running at once: no two have the same. */
export interface Slots {
  take(): Promise<number>;
  give(slot: number): void;
}

/** The lowest numbers that are free, of this process alone. */
export function slots(): Slots {
  const taken = new Set<number>();
  return {
    take: async () => {
      let slot = 0;
      while (taken.has(slot)) slot++;
      taken.add(slot);
      return slot;
    },
    give: (slot) => taken.delete(slot),
  };
}
