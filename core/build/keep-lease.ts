import type { RunningBuild } from './build.ts';
import { type LeaseRenewalDeps, renewLease } from './lease-renewal.ts';
import { type MessageExtensionDeps, messageExtension } from './message-extension.ts';
import type { BuildProgress, ReceivedMessage } from './ports.ts';
import { type RowWriterDeps, rowWriter } from './row-writer.ts';
import type { RunEvent } from './run-event.ts';

export interface KeepLeaseDeps extends RowWriterDeps, LeaseRenewalDeps, MessageExtensionDeps {
  /**
   * The shortest time between two writes of steps; of several steps, the last is written. Default 0: each step is
   * written at once.
   */
  readonly stepsEveryMs?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface KeptLease {
  readonly progress: BuildProgress;
  /**
   * Aborts when the row is no longer this attempt's: another runner has it, or the lease ended because no write
   * succeeded.
   */
  readonly lost: AbortSignal;
  /** Stops renewing, waits a moment for calls in progress, and returns the row as it was last written. */
  release(): Promise<RunningBuild>;
}

/**
 * How long a release waits for calls in progress: a runner that is asked to stop has little time for all that it does
 * then.
 */
const RELEASE_WAIT_MS = 5_000;

/** Holds the lease of a build while it is made: writes its steps, renews the lease, and keeps the message hidden. */
export function keepLease(deps: KeepLeaseDeps, taken: RunningBuild, message: ReceivedMessage, leaseSeconds: number): KeptLease {
  const { every, stepsEveryMs = 0, onEvent } = deps;
  const lost = new AbortController();
  const writer = rowWriter(deps, taken, leaseSeconds, lost);
  const extension = messageExtension(deps, message, leaseSeconds);
  const stopRenewing = renewLease(deps, leaseSeconds, { writer, extension, lost });

  let isStepWaiting = false;
  const writeStep = () => {
    if (isStepWaiting) writer.write();
    isStepWaiting = false;
  };
  const stopSteps = stepsEveryMs > 0 ? every(stepsEveryMs, writeStep) : undefined;

  return {
    lost: lost.signal,
    progress: {
      correlationId: taken.correlationId,
      enter: (step) => {
        writer.enter(step);
        onEvent?.({ type: 'step', build: writer.row(), step });
        isStepWaiting = true;
        if (stopSteps === undefined) writeStep();
      },
      log: (line) => onEvent?.({ type: 'log', build: writer.row(), line }),
    },
    release: async () => {
      stopRenewing();
      stopSteps?.();
      // An extension that came after the message was made visible would hide it again.
      await atMost(every, RELEASE_WAIT_MS, Promise.all([writer.stop(), extension.settled()]));
      return writer.row();
    },
  };
}

/** Waits for the work, and no longer than so. */
async function atMost(every: KeepLeaseDeps['every'], ms: number, work: Promise<unknown>): Promise<void> {
  const waited = Promise.withResolvers<void>();
  const stop = every(ms, waited.resolve);
  try {
    await Promise.race([work, waited.promise]);
  } finally {
    stop();
  }
}
