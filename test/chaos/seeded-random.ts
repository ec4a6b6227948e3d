/** Draws that depend on the seed alone. */
export interface SeededRandom {
  /** Returns a number from 0 up to 1, without 1. */
  fraction(): number;
  /** Returns a whole number from `first` to `last`, both included. */
  between(first: number, last: number): number;
  oneOf<T>(choices: readonly T[]): T;
  /** Returns one of the keys, each as often as its weight says. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key;
}

/** Returns draws from one seed (the generator mulberry32). `stream` separates the draws of parts that share a seed. */
export function seededRandom(seed: number, stream = 0): SeededRandom {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (first: number, last: number) => first + Math.floor(fraction() * (last - first + 1));
  return {
    fraction,
    between,
    oneOf: <T>(choices: readonly T[]) => choices[between(0, choices.length - 1)] as T,
    weighted: <Key extends string>(weights: Readonly<Record<Key, number>>) => {
      const entries = Object.entries(weights) as [Key, number][];
      let left = fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key;
      }
      return entries[0]?.[0] as Key;
    },
  };
}
