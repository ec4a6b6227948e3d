import type { Clock, Monotonic } from '#core/stores.ts';
import type { BuildStep, RunningBuild } from './build.ts';
import { notOvertaken, renewed } from './lease.ts';
import type { BuildTable } from './ports.ts';

export interface RowWriterDeps {
  readonly builds: BuildTable;
  readonly now: Clock;
  readonly monotonic: Monotonic;
}

export interface RowWriter {
  /** The row as it was last written, as far as the table has answered. */
  row(): RunningBuild;
  /** Sets the step that the next write says. */
  enter(step: BuildStep): void;
  /** Writes the step and renews the lease: at once, or right after the write in progress. */
  write(): void;
  /** When the last write began that succeeded, by the monotonic clock: the lease has lasted at least since then. */
  renewedAt(): number;
  /** Whether a write failed or was given up, and none has succeeded that began later. */
  isBehind(): boolean;
  /** Gives up the write in progress if it has not been answered for so long, so that the next can begin. */
  giveUpAfter(ms: number): void;
  /** Begins no further write, and settles when the one in progress is answered. */
  stop(): Promise<void>;
}

/**
 * Makes the only writer of a running build's row. It has one write in progress at a time and coalesces what comes
 * meanwhile. A write that is refused aborts `lost`. A write that was given up may still succeed, and then the lease is
 * renewed as by any other; if such a write is refused, that says nothing of the writes after it and is ignored. Each
 * write has a lease that ends later than those of all writes before it, answered or not, and a write that arrives after
 * a later one is refused: it would take a step back, and show sweepers a lease that they have seen for long.
 */
export function rowWriter(
  { builds, now, monotonic }: RowWriterDeps,
  taken: RunningBuild,
  leaseSeconds: number,
  lost: AbortController,
): RowWriter {
  interface Write {
    readonly begunAt: number;
    readonly answered: Promise<void>;
  }
  let row = taken;
  let step: BuildStep = taken.step;
  let { lease } = taken;
  let renewedAt = monotonic();
  let isDirty = false;
  let isBehind = false;
  let isStopped = false;
  let current: Write | undefined;

  const begin = () => {
    isDirty = false;
    const begunAt = monotonic();
    lease = renewed(lease, now(), leaseSeconds);
    const next: RunningBuild = { ...row, step, lease };
    const write: Write = {
      begunAt,
      answered: builds.transition(row, next, notOvertaken(next)).then(
        ({ moved }) => (moved ? succeeded(write, next) : refused(write)),
        () => failed(write),
      ),
    };
    current = write;
  };
  const succeeded = (write: Write, next: RunningBuild) => {
    renewedAt = Math.max(renewedAt, write.begunAt);
    if (next.lease.expiresAt > row.lease.expiresAt) row = next;
    if (write !== current) return;
    current = undefined;
    isBehind = false;
    if (isDirty && !isStopped && !lost.signal.aborted) begin();
  };
  const refused = (write: Write) => {
    if (write === current) lost.abort();
  };
  const failed = (write: Write) => {
    if (write !== current) return;
    current = undefined;
    isBehind = true;
  };

  return {
    row: () => row,
    enter: (next) => {
      step = next;
    },
    write: () => {
      if (isStopped || lost.signal.aborted) return;
      if (current === undefined) begin();
      else isDirty = true;
    },
    renewedAt: () => renewedAt,
    isBehind: () => isBehind,
    giveUpAfter: (ms) => {
      if (current === undefined || monotonic() - current.begunAt < ms) return;
      current = undefined;
      isBehind = true;
    },
    stop: async () => {
      isStopped = true;
      await current?.answered;
    },
  };
}
