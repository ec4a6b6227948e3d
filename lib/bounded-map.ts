export interface BoundedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/**
 * Returns a map whose values weigh at most `maxWeight` together. Entries that were not used for long go first, and a
 * value that is too heavy alone is not kept. A library in its place would be a tenth of the prepare function's bundle
 * (decision 33).
 */
export function boundedMap<V>(maxWeight: number, weightOf: (value: V) => number): BoundedMap<V> {
  const entries = new Map<string, { readonly value: V; readonly weight: number; isUsed: boolean }>();
  let total = 0;
  const remove = (key: string): void => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  /**
   * Removes entries from the oldest on, but gives one that was used a second chance. A use costs no more than a mark.
   */
  const makeRoom = (weight: number): void => {
    for (const [key, entry] of entries) {
      if (total + weight <= maxWeight) return;
      if (!entry.isUsed) remove(key);
      else {
        entry.isUsed = false;
        // A Map keeps the order of insertion, so the entry moves to the end, where this loop meets it again.
        entries.delete(key);
        entries.set(key, entry);
      }
    }
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entry.isUsed = true;
      return entry.value;
    },
    set(key, value) {
      remove(key);
      const weight = weightOf(value);
      if (weight > maxWeight) return;
      makeRoom(weight);
      entries.set(key, { value, weight, isUsed: false });
      total += weight;
    },
    delete: remove,
  };
}
