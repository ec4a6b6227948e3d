import { LEASE_SECONDS } from '#core/build/attempt.ts';
import type { BuildQueue } from '#core/build/ports.ts';
import { type RunBuildDeps, runBuild } from '#core/build/run-build.ts';
import { pause } from '#lib/pause.ts';

export interface RunWorkersDeps extends RunBuildDeps {
  readonly queue: BuildQueue;
  /** Called when the queue or the table cannot be used. The worker continues after a pause. */
  readonly onError: (error: unknown) => void;
  /**
   * Returns whether workers must take no further build, because the sandbox of the last one was not tight enough for
   * another.
   */
  readonly mustRetire?: () => boolean;
  /** Called at the start and after every change, with the number of busy workers and the number of all workers. */
  readonly onSlots?: (busy: number, total: number) => void;
}

/** The pause after the queue or the table failed. */
const ERROR_PAUSE_MS = 2_000;

/**
 * Runs builds from the queue, up to `concurrency` at once, until `shutdown` aborts. Builds in progress then go back to
 * the queue, and the promise settles when the last one has.
 */
export async function runWorkers(deps: RunWorkersDeps, concurrency: number, shutdown: AbortSignal): Promise<void> {
  let busy = 0;
  const occupy = (change: number) => {
    busy += change;
    deps.onSlots?.(busy, concurrency);
  };
  occupy(0);
  await Promise.all(Array.from({ length: concurrency }, () => runWorker(deps, occupy, shutdown)));
}

async function runWorker(deps: RunWorkersDeps, occupy: (change: number) => void, shutdown: AbortSignal): Promise<void> {
  while (!shutdown.aborted && !deps.mustRetire?.())
    try {
      const message = await deps.queue.receive({ visibilitySeconds: deps.leaseSeconds ?? LEASE_SECONDS, signal: shutdown });
      if (message === undefined) continue;
      occupy(1);
      await runBuild(deps, message, shutdown).finally(() => occupy(-1));
    } catch (error) {
      deps.onError(error);
      await pause(ERROR_PAUSE_MS, shutdown);
    }
}
