import { type SweepDeps, type Swept, sweepBuilds } from '#core/build/sweep.ts';
import { pause } from '#lib/pause.ts';

export interface MaintainDeps extends SweepDeps {
  /** Told of each sweep. */
  readonly onSwept: (swept: Swept) => void;
  /** Told of each sweep that failed as a whole; the next comes all the same. */
  readonly onTrouble: (error: unknown) => void;
}

/** How often lost sends, lapsed leases and expired builds are looked for, in every way of running. */
export const SWEEP_EVERY_MS = 30_000;

/** Sweeps now and then every `everyMs` until `stop` aborts; settles when the last sweep has ended. */
export async function maintain(deps: MaintainDeps, stop: AbortSignal, everyMs = SWEEP_EVERY_MS): Promise<void> {
  while (!stop.aborted) {
    try {
      deps.onSwept(await sweepBuilds(deps));
    } catch (error) {
      deps.onTrouble(error);
    }
    await pause(everyMs, stop);
  }
}
