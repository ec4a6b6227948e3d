/**
 * Long work in short pieces: it yields after each and returns its result, so that a server can answer others in
 * between. The caller decides when to continue (`inSlices` in adapters/upstream).
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Does all pieces of the work at once. */
export function finished<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** The number of items or values between two yields: a few tenths of a millisecond of work. */
export const PIECE = 500;
