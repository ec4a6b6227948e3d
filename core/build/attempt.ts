import type { ArtifactStore, Clock, Monotonic } from '#core/stores.ts';
import type { RunningBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import type { BuildQueue, BuildTable, ReceivedMessage } from './ports.ts';
import type { RunEvent } from './run-event.ts';
import type { TimesToLive } from './times-to-live.ts';

/** One runner's go at a build, from the lease to the end. */
export interface Attempt {
  /** The row as this attempt last wrote it. */
  readonly running: RunningBuild;
  readonly order: BuildOrder;
  readonly message: ReceivedMessage;
  /** When the runner took the build, by the monotonic clock. */
  readonly begunAt: number;
}

/** The parts that every end of an attempt needs. */
export interface AttemptDeps {
  readonly builds: BuildTable;
  readonly queue: BuildQueue;
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
  readonly monotonic: Monotonic;
  /** Calls back every so many milliseconds until stopped. */
  readonly every: (ms: number, call: () => void) => () => void;
  readonly timesToLive: TimesToLive;
  /** See `uploadOutput`. */
  readonly uploadSeconds?: number;
  /**
   * The pauses after attempts that failed for want of infrastructure; the last is for all further ones. Default
   * `RETRY_DELAYS_SECONDS`.
   */
  readonly retryDelaysSeconds?: readonly number[];
  /**
   * Called before a build ends that found upstream changed since its order was made: a client that has read the end
   * meets what was noted. Must not throw.
   */
  readonly onUpstreamChanged?: (order: BuildOrder, foundAt: Date) => Promise<void> | void;
  /** Called with each event, for log and statistics. Must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
}

/** The number of attempts that fail or lose their runner after which the build is failed. */
export const MAX_ATTEMPTS = 3;
/** A runner without a sign of life for this long is taken for lost. */
export const LEASE_SECONDS = 60;
/** The pause before another attempt after an infrastructure failure, by attempt. */
export const RETRY_DELAYS_SECONDS: readonly number[] = [5, 30];

/** The ISO time so many seconds after another. */
export const after = (time: Date, seconds: number): string => new Date(time.getTime() + seconds * 1000).toISOString();
