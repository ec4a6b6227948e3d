import { type SweepDeps, type Swept, sweepBuilds } from '#core/build/sweep.ts';
import { pause } from '#lib/pause.ts';

export interface MaintainDeps extends SweepDeps {
  /** Called after each sweep. */
  readonly onSwept: (swept: Swept) => void;
  /** Called with each reason why a list of builds could not be swept; the next sweep comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** How often unsent messages, lapsed leases and expired builds are looked for, in every way of running. */
export const SWEEP_EVERY_MS = 30_000;

/**
 * Sweeps at once and then every `everyMs`, until `stop` aborts or so many `sweeps` are done; settles when the last
 * sweep has ended.
 */
export async function maintain(
  deps: MaintainDeps,
  stop: AbortSignal,
  everyMs = SWEEP_EVERY_MS,
  sweeps = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (let left = sweeps; left > 0 && !stop.aborted; left -= 1) {
    try {
      const swept = await sweepBuilds(deps);
      for (const error of swept.unread) deps.onError(error);
      deps.onSwept(swept);
    } catch (error) {
      // A bug, since sweepBuilds catches what its ports throw; the loop lasts as long as the process all the same.
      deps.onError(error);
    }
    if (left > 1) await pause(everyMs, stop);
  }
}
