import { setImmediate } from 'node:timers/promises';
import type { Sliced } from '#lib/sliced.ts';

/** How long one slice may keep the process from other work. A single step takes far less. */
const SLICE_MS = 8;

/**
 * Does the work in slices and returns its result. Between slices the event loop runs, so the process answers other
 * requests.
 */
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
