import { LEASE_SECONDS } from '#core/build/attempt.ts';
import type { BuildQueue } from '#core/build/ports.ts';
import { type RunBuildDeps, runBuild } from '#core/build/run-build.ts';
import { pause } from '#lib/pause.ts';

export interface WorkDeps extends RunBuildDeps {
  readonly queue: BuildQueue;
  /** Told when the queue or the table could not be used; work goes on after a pause. */
  readonly onError: (error: unknown) => void;
  /** When it answers true no further build is taken: the sandbox of the last was not tight enough for a next. */
  readonly mustRetire?: () => boolean;
  /** Told at the start and with every change how many builds are being worked on, and how many could be. */
  readonly onSlots?: (busy: number, total: number) => void;
}

/** Pause after the queue or the table failed. */
const TROUBLE_PAUSE_MS = 2_000;

/**
 * Does builds, up to `concurrency` at once, until `shutdown` aborts. Then builds under way are handed back to the queue;
 * the promise settles when the last is.
 */
export async function work(deps: WorkDeps, concurrency: number, shutdown: AbortSignal): Promise<void> {
  let busy = 0;
  const occupy = (change: number) => {
    busy += change;
    deps.onSlots?.(busy, concurrency);
  };
  occupy(0);
  await Promise.all(Array.from({ length: concurrency }, () => workOne(deps, occupy, shutdown)));
}

async function workOne(deps: WorkDeps, occupy: (change: number) => void, shutdown: AbortSignal): Promise<void> {
  while (!shutdown.aborted && !deps.mustRetire?.())
    try {
      const message = await deps.queue.receive({ visibilitySeconds: deps.leaseSeconds ?? LEASE_SECONDS, signal: shutdown });
      if (message === undefined) continue;
      occupy(1);
      await runBuild(deps, message, shutdown).finally(() => occupy(-1));
    } catch (error) {
      deps.onError(error);
      await pause(TROUBLE_PAUSE_MS, shutdown);
    }
}
