import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import type { Build, BuildStep, CancelledBuild, DoneBuild, ExpiringBuild, FailedBuild, QueuedBuild, RunningBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';

/**
 * Remembers builds by hash. Every write is one conditional write: of many callers exactly one succeeds, and the others
 * get the row as it is. `from` must still describe the row: same state and same mark (`markOf` in build.ts). A caller
 * that repeats a write whose answer was lost is one of the others: it is refused and finds what it wrote in `current`,
 * unless `from` still describes the row.
 */
export interface BuildTable {
  /**
   * Returns a row that may be slightly stale, if the table was created that way. It is current with `isLatest`, and when
   * there is no such build.
   */
  get(hash: RequestHash, options?: { isLatest?: boolean }): Promise<Build | undefined>;
  /** The order written by the `claim` that won; unchanged for the life of the row. */
  order(hash: RequestHash): Promise<BuildOrder | undefined>;
  /**
   * Creates the row, together with its order, and gives it the next ticket. Atomic: of many callers with one hash, in any
   * number of processes, exactly one wins. An existing row is replaced only if it is `over`, which has to be replaceable
   * (`isReplaceable`, at `now`) and still as the caller has seen it: who replaces a build knows what it leaves behind.
   * Where there is a `ClientBuilds` beside the table, the build counts as the client's until it ends.
   */
  claim(build: QueuedBuild, order: BuildOrder, now: Date, options?: ClaimOptions): Promise<{ won: boolean; current: Build }>;
  /**
   * Moves the build on if `from` still describes it and `isTransition` allows it; with `lapsedAt` only if, besides, its
   * lease ended at or before that time. Returns the row as it is now. A ticket, once given, is kept.
   */
  transition(from: Build, to: Build, options?: { lapsedAt?: Date }): Promise<{ moved: boolean; current: Build | undefined }>;
  /** Removes an `expiring` row that `from` still describes, order included. */
  remove(from: ExpiringBuild): Promise<boolean>;
}

export interface ClaimOptions {
  readonly client?: ClientKey | undefined;
  /** The row to replace. */
  readonly over?: Build | undefined;
}

/**
 * Remembers which inputs (`BuildOrder.inputs`) upstream has replaced, as runners found out, so that no further build is
 * accepted with them (docs/decisions/0063).
 */
export interface OutdatedInputs {
  /** Notes that a build with these inputs found upstream changed. The latest time counts. */
  note(inputs: string, foundAt: Date): Promise<void>;
  /** Returns when that was last found; `undefined`: never, or long ago. It sees every `note` that has settled. */
  foundAt(inputs: string): Promise<Date | undefined>;
}

/**
 * The queue as clients see it. Cheap however long the queue is. Answers may be a moment behind, but within one process
 * places never go back to what they were before.
 */
export interface QueuePositions {
  /** Builds waiting (queued), not those being built. */
  waiting(): Promise<number>;
  /** Waiting builds with a lower ticket. 0 for a build that is no longer waiting. */
  ahead(build: QueuedBuild): Promise<number>;
  /** Builds being built now. */
  running(): Promise<number>;
  /** When the build that has waited longest (re-)entered the queue; `undefined`: no build waits. */
  oldest(): Promise<Date | undefined>;
}

/** Names a client: a keyed hash of its address. Without the key the address cannot be found from it. */
export type ClientKey = string;

/** Counts waiting and running builds by client. A build belongs to the client whose request began it. */
export interface ClientBuilds {
  /** Builds of the client that wait or run. */
  pending(client: ClientKey): Promise<number>;
  /** Builds of other clients that wait. */
  othersWaiting(client: ClientKey): Promise<number>;
  /**
   * The number of builds that wait, of which each client contributes at most `share`. All builds without a client
   * count.
   */
  waitingWithin(share: number): Promise<number>;
}

/**
 * Lists what the sweeper looks for. Each list is bounded by `limit`, oldest first, and may be stale by the time it is
 * read. A time after `ahead` was written by a clock that has been set back since, and counts as long ago.
 */
export interface BuildSweep {
  /** Queued since before `before` or after `ahead`, without a `sentAt`. */
  unsent(before: Date, limit: number, ahead?: Date): Promise<QueuedBuild[]>;
  /** Queued, with a message that was sent before `before` or after `ahead` and may be lost. */
  stale(before: Date, limit: number, ahead?: Date): Promise<QueuedBuild[]>;
  /** Building or expiring, whatever their leases say. */
  leased(limit: number): Promise<(RunningBuild | ExpiringBuild)[]>;
  /**
   * Done, failed or cancelled, with `expiresAt` before `now`; where the adapter can find them, also those written by a
   * clock that was ahead.
   */
  expired(now: Date, limit: number): Promise<(DoneBuild | FailedBuild | CancelledBuild)[]>;
}

/** A message of the queue, which never holds the request itself. */
export interface BuildMessage {
  readonly hash: RequestHash;
  readonly correlationId: string;
}

export interface ReceivedMessage extends BuildMessage {
  /** Names this delivery; a later delivery of the same message has another. */
  readonly receipt: string;
}

/**
 * At-least-once delivery, roughly in order. A received message is invisible to others for `visibilitySeconds`, longer
 * with `extend`; unless acknowledged it is delivered again. Even a message that is invisible may be delivered a second
 * time; then the later receipt is current, and the earlier one may be so too. Calls with a receipt that is no longer
 * current do nothing, so a call whose answer was lost may be repeated. A `send` that is repeated sends a second message.
 * A delay is at most 900 seconds, and a message is invisible for at most ten hours after it was received.
 */
export interface BuildQueue {
  send(message: BuildMessage, options?: { delaySeconds?: number }): Promise<void>;
  /**
   * Waits until a message is there or the signal aborts (then `undefined`); may also give up after some seconds
   * (`undefined`).
   */
  receive(options: { visibilitySeconds: number; signal: AbortSignal }): Promise<ReceivedMessage | undefined>;
  extend(message: ReceivedMessage, visibilitySeconds: number): Promise<void>;
  acknowledge(message: ReceivedMessage): Promise<void>;
  /** Makes it visible again, at once or after `delaySeconds`. */
  release(message: ReceivedMessage, delaySeconds?: number): Promise<void>;
  /** Moves it to the dead letters, with the reason. */
  bury(message: ReceivedMessage, reason: string): Promise<void>;
}

/** Called by a running build as it goes on; the calls return at once. */
export interface BuildProgress {
  /** The correlation id of the request that began the build; its log begins with it. */
  readonly correlationId?: string;
  /** Enters a step, which is also the public `imagebuilder_status`. */
  enter(step: BuildStep): void;
  /** A line for the build's log. */
  log(line: string): void;
}

/**
 * Makes images with OpenWrt's ImageBuilder. Throws `BuildFailure` if the same request would fail again, and
 * `InfrastructureFailure` if another attempt may succeed; any other error is a bug and treated as the latter. When
 * `signal` aborts, every process of the build is ended before the promise settles.
 */
export interface ImageMaker {
  make(order: BuildOrder, binDir: BinDir, progress: BuildProgress, signal: AbortSignal): Promise<BuildOutput>;
}
