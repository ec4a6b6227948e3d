/**
 * Long work in short pieces: it yields after each and returns what it made, so that a server can answer others in between. Who drives
 * it decides when to go on (`inSlices` in adapters/upstream).
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Does all pieces of the work at once. */
export function finished<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Items or values that a piece of work handles between two yields: some tenths of a millisecond. */
export const PIECE = 500;
