import type { Outcome } from './simulate.ts';

export interface Shrunk {
  /** The faults without which the promise holds, as far as leaving out one after the other can tell. */
  readonly only: ReadonlySet<string>;
  readonly outcome: Outcome;
  readonly tries: number;
}

/** How often a failing seed is simulated again at most. */
const MOST_TRIES = 300;

/**
 * Leaves out as many faults of a failing seed as it can while the same promise is broken: first halves, then quarters,
 * and in the end single faults.
 */
export async function shrink(failing: Outcome, again: (only: ReadonlySet<string>) => Promise<Outcome>): Promise<Shrunk> {
  let tries = 0;
  let kept = failing.faults.map(({ id }) => id);
  let outcome = failing;
  const tryWith = async (ids: readonly string[]) => {
    tries += 1;
    const next = await again(new Set(ids));
    if (next.broken?.promise !== failing.broken?.promise) return false;
    outcome = next;
    // Without the others, some faults may not be met any more.
    const met = new Set(next.faults.map(({ id }) => id));
    kept = ids.filter((id) => met.has(id));
    return true;
  };
  for (let size = Math.ceil(kept.length / 2); size >= 1 && tries < MOST_TRIES; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let start = 0; start < kept.length && tries < MOST_TRIES; ) {
      const without = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (!(await tryWith(without))) start += size;
    }
  return { only: new Set(kept), outcome, tries };
}
