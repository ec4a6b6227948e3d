/** Small numbers for builds that run at once, so that no two builds share one. */
export interface Slots {
  take(): Promise<number>;
  give(slot: number): void;
}

/** Returns slots that hand out the lowest free number, for this process alone. */
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
