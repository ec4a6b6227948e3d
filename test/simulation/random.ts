/** Random choices that are the same in each run with the same seed. */
export interface Random {
  /** At least 0 and less than 1. */
  next(): number;
  /** A whole number, at least 0 and less than `bound`. */
  below(bound: number): number;
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
}

/** Returns the random choices of one part of a simulation. Parts with other names choose independently of each other. */
export function randomOf(seed: number, name: string): Random {
  let state = (seed ^ numberOf(name)) | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    return mixed(state) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    next,
    below,
    between: (least, most) => least + next() * (most - least),
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
  };
}

/**
 * Returns a number, at least 0 and less than 1, that depends on its arguments alone: a choice that stays the same when
 * other choices before it fall away.
 */
export const drawn = (seed: number, index: number, purpose = 0): number =>
  mixed((Math.imul(seed, 0x9e3779b1) + Math.imul(index + 1, 0x85ebca6b) + Math.imul(purpose, 0xc2b2ae35)) | 0) / 2 ** 32;

/** Returns a 32-bit number for a name. */
export function numberOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

function mixed(value: number): number {
  let mix = Math.imul(value ^ (value >>> 15), value | 1);
  mix ^= mix + Math.imul(mix ^ (mix >>> 7), mix | 61);
  return (mix ^ (mix >>> 14)) >>> 0;
}
