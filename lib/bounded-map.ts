export interface BoundedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/**
 * A map whose values weigh at most `maxWeight` together: what was not used for long goes first, and what is too heavy alone is not
 * kept. In place of a library, which would be a tenth of the prepare function's bundle.
 */
export function boundedMap<V>(maxWeight: number, weightOf: (value: V) => number): BoundedMap<V> {
  const entries = new Map<string, { readonly value: V; readonly weight: number; isUsed: boolean }>();
  let total = 0;
  const remove = (key: string): void => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  /** From the oldest on, but past what was used since it was last looked at: a use costs no more than a mark. */
  const makeRoom = (weight: number): void => {
    for (const [key, entry] of entries) {
      if (total + weight <= maxWeight) return;
      if (!entry.isUsed) remove(key);
      else {
        entry.isUsed = false;
        // A Map remembers the order of insertion: to the end with it, where this loop comes to it again.
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
