import type { BuildStep, RunningBuild } from './build.ts';
import type { BuildProgress, BuildQueue, BuildTable, Clock, ReceivedMessage } from './ports.ts';
import type { RunEvent } from './run-build.ts';

export interface KeepLeaseDeps {
  readonly builds: BuildTable;
  readonly queue: BuildQueue;
  readonly now: Clock;
  readonly every: (ms: number, call: () => void) => () => void;
  /** Steps are written no more often than so, the last of several that came faster; for tables that are paid by the write. Default: at once. */
  readonly stepsEveryMs?: number;
  /** A row that was written less than so long ago needs no renewal; for the same tables. Default: renewed every third of the lease. */
  readonly renewAfterSeconds?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface KeptLease {
  readonly progress: BuildProgress;
  /** Aborts when the row is no longer ours: taken over, or cancelled. */
  readonly lost: AbortSignal;
  /** Stops renewing, waits for the last write, and answers the row as it was last written. */
  release(): Promise<RunningBuild>;
}

/** How often a renewal that fails can be tried before the lease lapses, where it is renewed late. */
const RENEWAL_CHANCES = 5;

/**
 * The single writer of a running build's row: one loop that writes changed steps (coalesced) and renews the lease, and with
 * it the message's invisibility. A write that fails is tried again with the next; a refused one means the build is lost.
 */
export function keepLease(
  { builds, queue, now, every, stepsEveryMs = 0, renewAfterSeconds, onEvent }: KeepLeaseDeps,
  taken: RunningBuild,
  message: ReceivedMessage,
  leaseSeconds: number,
): KeptLease {
  const lost = new AbortController();
  let written = taken;
  let step: BuildStep = taken.step;
  let isDirty = false;
  let isReleased = false;
  let writing: Promise<void> | undefined;
  let writtenAt = now().getTime();
  let extendedAt = writtenAt;
  /** A write failed: the row does not say the step we are in. */
  let isBehind = false;

  const write = async () => {
    while (isDirty && !isReleased && !lost.signal.aborted) {
      isDirty = false;
      const at = now().getTime();
      const next: RunningBuild = {
        ...written,
        step,
        lease: { ...written.lease, expiresAt: new Date(at + leaseSeconds * 1000).toISOString() },
      };
      const { moved } = await builds.transition(written, next);
      if (!moved) return lost.abort();
      written = next;
      writtenAt = at;
      isBehind = false;
    }
  };
  const mark = () => {
    isDirty = true;
    writing ??= write().then(settled, settled);
  };
  /** A step entered while the last write came back starts the next; after a failed write the next renewal does. */
  const settled = (error?: unknown) => {
    writing = undefined;
    isBehind ||= error !== undefined;
    if (error === undefined && isDirty && !isReleased && !lost.signal.aborted) mark();
  };
  let isStepWaiting = false;
  const stopSteps =
    stepsEveryMs > 0
      ? every(stepsEveryMs, () => {
          if (isStepWaiting) mark();
          isStepWaiting = false;
        })
      : undefined;
  const isDue = (since: number) => renewAfterSeconds === undefined || now().getTime() - since >= renewAfterSeconds * 1000;
  const ticksSeconds = renewAfterSeconds === undefined ? leaseSeconds / 3 : (leaseSeconds - renewAfterSeconds) / RENEWAL_CHANCES;
  const stop = every(ticksSeconds * 1000, () => {
    if (isBehind || isDue(writtenAt)) mark();
    if (!isDue(extendedAt)) return;
    const at = now().getTime();
    queue.extend(message, leaseSeconds).then(
      () => {
        extendedAt = at;
      },
      () => undefined,
    );
  });

  return {
    lost: lost.signal,
    progress: {
      correlationId: taken.correlationId,
      enter: (next) => {
        step = next;
        onEvent?.({ type: 'step', build: written, step: next });
        if (stopSteps) isStepWaiting = true;
        else mark();
      },
      log: (line) => onEvent?.({ type: 'log', build: written, line }),
    },
    release: async () => {
      stop();
      stopSteps?.();
      isReleased = true;
      await writing;
      return written;
    },
  };
}
