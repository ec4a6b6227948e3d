import type { BinDir, RequestHash } from '#core/request/request-hash.ts';

/** The steps of a build, in order; each is a public `imagebuilder_status` that every client knows (docs/contract.md §10.10). */
export const BUILD_STEPS = ['init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image'] as const;
export type BuildStep = (typeof BUILD_STEPS)[number];

/** The right to work on a build. `owner` is one attempt of one runner (or one sweep), never reused. */
export interface Lease {
  readonly owner: string;
  /**
   * ISO 8601, UTC. Each renewal by the same owner makes it later, so it tells one renewal from another. Whether the lease has
   * lapsed it does not tell: the clocks of two machines, or of one machine at two times, may disagree (`lease.ts`).
   */
  readonly expiresAt: string;
  /** How long the lease lasts after it was given or renewed. Absent in rows that earlier versions wrote. */
  readonly seconds?: number;
}

/** What every build has, whatever its state. All times are ISO 8601 in UTC with milliseconds and `Z`. */
interface BuildFacts {
  readonly hash: RequestHash;
  /** When the client's request was accepted; unchanged by retries. */
  readonly enqueuedAt: string;
  /** Attempts begun so far that count: retries and lapsed leases count, hand-backs do not. */
  readonly attempt: number;
  /** Unlisted and never logged: the request carries `defaults`. */
  readonly isPrivate: boolean;
  readonly correlationId: string;
  /** Place in the queue's order; assigned by the table at `claim`, kept on return to the queue. */
  readonly ticket?: number;
  /** Attempts at earlier builds of this hash. Their files are still there for caches that name them, and are removed with this build's. */
  readonly previousBinDirs?: readonly BinDir[];
}

export interface QueuedBuild extends BuildFacts {
  readonly state: 'queued';
  /**
   * When a message was sent in this stay in the queue; absent: none was, and the sweeper sends one. A build that returns to the queue has
   * none, since the message that its runner releases may be gone (docs/decisions/0045).
   */
  readonly sentAt?: string;
  /** When it (re-)entered the queue, or when the pause before its next attempt is over. */
  readonly queuedAt: string;
  /** Reason of the attempt that failed before, shown to operators. */
  readonly lastFailure?: string;
}

export interface RunningBuild extends BuildFacts {
  readonly state: 'building';
  readonly startedAt: string;
  readonly step: BuildStep;
  readonly lease: Lease;
  readonly binDir: BinDir;
}

export interface DoneBuild extends BuildFacts {
  readonly state: 'done';
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly binDir: BinDir;
  readonly expiresAt: string;
}

export interface FailedBuild extends BuildFacts {
  readonly state: 'failed';
  readonly finishedAt: string;
  readonly binDir?: BinDir;
  /** What failed, for people; at most 500 characters. The whole story is in the outcome document. */
  readonly detail: string;
  /** Deterministic: the same request would fail again, so it is answered from here until `expiresAt`. */
  readonly cached: boolean;
  readonly expiresAt: string;
}

export interface CancelledBuild extends BuildFacts {
  readonly state: 'cancelled';
  readonly finishedAt: string;
  readonly expiresAt: string;
}

/** On its way out: result document first, objects after the document's max-age, the row last. */
export interface ExpiringBuild extends BuildFacts {
  readonly state: 'expiring';
  readonly binDir?: BinDir;
  readonly lease: Lease;
  /** When the result document was deleted; objects go `RESULT_MAX_AGE_SECONDS` later. */
  readonly unpublishedAt?: string;
}

export type Build = QueuedBuild | RunningBuild | DoneBuild | FailedBuild | CancelledBuild | ExpiringBuild;
export type BuildState = Build['state'];

/** `max-age` of the published result document: for this long a cache may go on answering after it is gone. */
export const RESULT_MAX_AGE_SECONDS = 60;

const NEXT: Readonly<Record<BuildState, readonly BuildState[]>> = {
  queued: ['queued', 'building', 'cancelled', 'failed'],
  building: ['building', 'queued', 'done', 'failed', 'cancelled'],
  done: ['expiring'],
  failed: ['expiring'],
  cancelled: ['expiring'],
  expiring: ['expiring'],
};

/** Whether a build may go from one state to the other (docs/architecture.md, States); `claim` alone may start a row anew. */
export const isTransition = (from: BuildState, to: BuildState): boolean => NEXT[from].includes(to);

/** Whether a submit may start this row anew: expired, cancelled, failed and not cached, or already on its way out. */
export function isReplaceable(build: Build, now: Date): boolean {
  switch (build.state) {
    case 'queued':
    case 'building':
      return false;
    case 'done':
      return build.expiresAt <= now.toISOString();
    case 'failed':
      return !build.cached || build.expiresAt <= now.toISOString();
    case 'cancelled':
    case 'expiring':
      return true;
  }
}

/** The build has failed, but not for its request: asked for again, it is built again. */
export const isRetryable = (build: Build): build is FailedBuild => build.state === 'failed' && !build.cached;

/** So long such a failure is told to whoever asks again; default of `REBUILD_PAUSE`. */
export const REBUILD_PAUSE_SECONDS = 10;

/**
 * How many seconds a failure that is worth another try is still told, 0 when it is to be tried. Who polls by asking again would else
 * never hear of a failure, and have the same build begun for ever.
 */
export function rebuildPauseLeft({ finishedAt }: FailedBuild, now: Date, pauseSeconds = REBUILD_PAUSE_SECONDS): number {
  const left = Math.ceil((Date.parse(finishedAt) - now.getTime()) / 1000 + pauseSeconds);
  // `now` may be behind the clock of whoever wrote the failure.
  return Math.min(pauseSeconds, Math.max(0, left));
}

/** Whether `current` is still in the state, and in the stay in that state, that `from` was read in: the rule of `BuildTable.transition`. */
export function isStill(from: Build, current: Build): boolean {
  return from.hash === current.hash && from.state === current.state && markOf(from).value === markOf(current).value;
}

/** What tells one stay in a state from another; a table compares it in the condition of each write. */
export interface Mark {
  readonly field: 'queuedAt' | 'leaseOwner' | 'finishedAt';
  readonly value: string;
}

/** Returns the mark of the stay that the row is in. */
export function markOf(build: Build): Mark {
  switch (build.state) {
    case 'queued':
      return { field: 'queuedAt', value: build.queuedAt };
    case 'building':
    case 'expiring':
      return { field: 'leaseOwner', value: build.lease.owner };
    case 'done':
    case 'failed':
    case 'cancelled':
      return { field: 'finishedAt', value: build.finishedAt };
  }
}

/** What stays the same through all states. */
export const factsOf = ({ hash, enqueuedAt, attempt, isPrivate, correlationId, ticket, previousBinDirs }: Build) => ({
  hash,
  enqueuedAt,
  attempt,
  isPrivate,
  correlationId,
  ...(ticket !== undefined && { ticket }),
  ...(previousBinDirs !== undefined && { previousBinDirs }),
});
