import type { Clock, Monotonic } from '#core/stores.ts';
import type { BuildStep, RunningBuild } from './build.ts';
import { renewed } from './lease.ts';
import type { BuildProgress, BuildQueue, BuildTable, ReceivedMessage } from './ports.ts';
import type { RunEvent } from './run-build.ts';

export interface KeepLeaseDeps {
  readonly builds: BuildTable;
  readonly queue: BuildQueue;
  readonly now: Clock;
  readonly monotonic: Monotonic;
  readonly every: (ms: number, call: () => void) => () => void;
  /** Steps are written no more often than so, the last of several that came faster; for tables that are paid by the write. Default: at once. */
  readonly stepsEveryMs?: number;
  /** A row that was written less than so long ago needs no renewal; for the same tables. Default: renewed every third of the lease. */
  readonly renewAfterSeconds?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface KeptLease {
  readonly progress: BuildProgress;
  /** Aborts when the row is no longer ours: taken over, cancelled, or lapsed because nothing could be written. */
  readonly lost: AbortSignal;
  /** Stops renewing, waits a moment for what is still under way, and answers the row as it was last written. */
  release(): Promise<RunningBuild>;
}

/** How often a renewal that fails can be tried before the lease lapses, where it is renewed late. */
const RENEWAL_CHANCES = 5;
/** Of the time between two chances, after which a write that has not answered is missed; less than all, for timers that come early. */
const MISSED_AFTER = 0.9;
/** So long a release waits for calls under way: a runner that is told to stop has little time for all it does then. */
const RELEASE_WAIT_MS = 5_000;

/**
 * The single writer of a running build's row: one loop that writes changed steps (coalesced) and renews the lease, and with
 * it the message's invisibility. A write that fails, or does not answer, is tried again with the next; a refused one means the
 * build is lost. One that is answered after the next was begun does no harm: the row takes writes of its lease's owner only.
 */
export function keepLease(
  { builds, queue, now, monotonic, every, stepsEveryMs = 0, renewAfterSeconds, onEvent }: KeepLeaseDeps,
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
  let writingSince = 0;
  /** Which `writing` is the current one: what an older one answers is no longer waited for. */
  let turn = 0;
  let extending: Promise<unknown> | undefined;
  let writtenAt = monotonic();
  let extendedAt = writtenAt;
  /** A write failed: the row does not say the step we are in. */
  let isBehind = false;

  const write = async (mine: number) => {
    while (isDirty && !isReleased && !lost.signal.aborted && mine === turn) {
      isDirty = false;
      const at = monotonic();
      writingSince = at;
      const next: RunningBuild = { ...written, step, lease: renewed(written.lease, now(), leaseSeconds) };
      const { moved } = await builds.transition(written, next);
      if (mine !== turn) return;
      if (!moved) return lost.abort();
      written = next;
      writtenAt = at;
      isBehind = false;
    }
  };
  const mark = () => {
    isDirty = true;
    if (writing !== undefined) return;
    const mine = ++turn;
    writing = write(mine).then(
      () => settled(mine, false),
      () => settled(mine, true),
    );
  };
  /** A step entered while the last write came back starts the next; after a failed write the next renewal does. */
  const settled = (mine: number, isFailed: boolean) => {
    if (mine !== turn) return;
    writing = undefined;
    isBehind ||= isFailed;
    if (!isFailed && isDirty && !isReleased && !lost.signal.aborted) mark();
  };
  const forgetWriting = () => {
    turn += 1;
    writing = undefined;
    isBehind = true;
  };
  let isStepWaiting = false;
  const stopSteps =
    stepsEveryMs > 0
      ? every(stepsEveryMs, () => {
          if (isStepWaiting) mark();
          isStepWaiting = false;
        })
      : undefined;
  const isDue = (since: number) => renewAfterSeconds === undefined || monotonic() - since >= renewAfterSeconds * 1000;
  const tickMs = (renewAfterSeconds === undefined ? leaseSeconds / 3 : (leaseSeconds - renewAfterSeconds) / RENEWAL_CHANCES) * 1000;
  const stop = every(tickMs, () => {
    const at = monotonic();
    if (writing !== undefined && at - writingSince >= tickMs * MISSED_AFTER) forgetWriting();
    // Somebody else may have it by now. Not so before a write was tried: a machine that slept may find its row still its own.
    if (isBehind && at - writtenAt >= leaseSeconds * 1000) return lost.abort();
    if (isBehind || isDue(writtenAt)) mark();
    if (!isDue(extendedAt)) return;
    const extended = queue.extend(message, leaseSeconds).then(() => {
      extendedAt = at;
    });
    extending = Promise.allSettled([extending, extended]);
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
      // An extension that came after the message was made visible would hide it again.
      const isQuiet = await within(every, RELEASE_WAIT_MS, Promise.all([writing, extending]));
      if (!isQuiet) forgetWriting();
      return written;
    },
  };
}

/** Waits for the work no longer than so; answers whether it came to its end. */
async function within(every: KeepLeaseDeps['every'], ms: number, work: Promise<unknown>): Promise<boolean> {
  const waited = Promise.withResolvers<boolean>();
  const stop = every(ms, () => waited.resolve(false));
  try {
    return await Promise.race([work.then(() => true), waited.promise]);
  } finally {
    stop();
  }
}
