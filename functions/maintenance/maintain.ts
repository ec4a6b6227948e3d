import { type SweepDeps, type Swept, sweepBuilds } from '#core/build/sweep.ts';
import { pause } from '#lib/pause.ts';

export interface MaintainDeps extends SweepDeps {
  /** Called after each sweep. */
  readonly onSwept: (swept: Swept) => void;
  /** Called when a sweep failed as a whole. The next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** How often a sweep looks for lost messages, lapsed leases and expired builds, in every way of running. */
export const SWEEP_EVERY_MS = 30_000;

/** Sweeps at once and then every `everyMs` until `stop` aborts. The promise settles when the last sweep has ended. */
export async function maintain(deps: MaintainDeps, stop: AbortSignal, everyMs = SWEEP_EVERY_MS): Promise<void> {
  while (!stop.aborted) {
    try {
      deps.onSwept(await sweepBuilds(deps));
    } catch (error) {
      deps.onError(error);
    }
    await pause(everyMs, stop);
  }
}
