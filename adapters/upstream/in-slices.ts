import { setImmediate } from 'node:timers/promises';
import type { Sliced } from '#lib/sliced.ts';

/** So long the process may be kept from other work at a time; a piece of work takes far less. */
const SLICE_MS = 8;

/** Does the work in slices, between which the process answers others. */
export async function inSlices<T>(work: Sliced<T>): Promise<T> {
  let until = performance.now() + SLICE_MS;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + SLICE_MS;
  }
}
