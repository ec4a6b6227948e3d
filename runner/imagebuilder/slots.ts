/** Small numbers for builds running at once: the lowest that is free. */
export function slots(): { take(): number; give(slot: number): void } {
  const taken = new Set<number>();
  return {
    take: () => {
      let slot = 0;
      while (taken.has(slot)) slot++;
      taken.add(slot);
      return slot;
    },
    give: (slot) => taken.delete(slot),
  };
}
