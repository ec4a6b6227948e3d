import type { Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';

/** How many spare reads of one document may follow each other. */
const BURST = 5;
/** How long it takes until one that was used comes back. */
const REFILL_MS = 30_000;
const MAX_DOCUMENTS = 10_000;

/**
 * Returns a function that takes one of the spare reads of a document, and returns whether there was one: the reads of
 * upstream whose copy would be young enough if the caller were not about to answer "unknown". Clients that ask for what
 * does not exist use them up, and then the copy is the answer.
 */
export function spareReads(monotonic: Monotonic): (key: string) => boolean {
  const documents = boundedMap<{ readonly left: number; readonly at: number }>(MAX_DOCUMENTS, () => 1);
  return (key) => {
    const at = monotonic();
    const known = documents.get(key);
    const left = known === undefined ? BURST : Math.min(BURST, known.left + (at - known.at) / REFILL_MS);
    if (left < 1) return false;
    documents.set(key, { left: left - 1, at });
    return true;
  };
}
