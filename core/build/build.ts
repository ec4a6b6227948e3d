import type { BinDir, RequestHash } from '#core/request/request-hash.ts';

/**
 * The steps of a build, in order; each is a public `imagebuilder_status` that every client knows (docs/contract.md
 * §10.10).
 */
export const BUILD_STEPS = ['init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image'] as const;
export type BuildStep = (typeof BUILD_STEPS)[number];

/** The right to work on a build. `owner` is one attempt of one runner (or one sweep), never reused. */
export interface Lease {
  readonly owner: string;
  /**
   * ISO 8601, UTC. Each renewal by the same owner makes it later, so it distinguishes one renewal from another. It does
   * not say whether the lease is over: the clocks of two machines, or of one machine at two times, may disagree
   * (`lease.ts`).
   */
  readonly expiresAt: string;
  /** How long the lease lasts after it was given or renewed. Absent in rows that earlier versions wrote. */
  readonly seconds?: number;
}

/** The fields of every build, whatever its state. All times are ISO 8601 in UTC with milliseconds and `Z`. */
interface BuildFacts {
  readonly hash: RequestHash;
  /** When the client's request was accepted; unchanged by retries. */
  readonly enqueuedAt: string;
  /** The number of attempts begun so far: retries and lapsed leases count, hand-backs do not. */
  readonly attempt: number;
  /** Unlisted and never logged: the request carries `defaults`. */
  readonly isPrivate: boolean;
  readonly correlationId: string;
  /** The place in the queue's order; assigned by the table at `claim`, kept on return to the queue. */
  readonly ticket?: number;
  /**
   * Attempts at earlier builds of this hash. Their files are still there for caches that name them, and are removed
   * with this build's.
   */
  readonly previousBinDirs?: readonly BinDir[];
}

export interface QueuedBuild extends BuildFacts {
  readonly state: 'queued';
  /**
   * When a message was sent in this stay in the queue. Absent: none was sent, and the sweeper sends one. A build that
   * returns to the queue has no such time, since the message that its runner releases may be gone
   * (docs/decisions/0045).
   */
  readonly sentAt?: string;
  /** When it (re-)entered the queue, or when the pause before its next attempt is over. */
  readonly queuedAt: string;
  /** Why the attempt before failed, for operators. */
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
  /** The failure in words for people, in at most 500 characters. The outcome document has all of it. */
  readonly detail: string;
  /** Whether the same request would fail again; if so, it is answered from this row until `expiresAt`. */
  readonly cached: boolean;
  /**
   * Whether a build that would not fail again has found upstream changed. Absent: it would fail again, or an earlier
   * version wrote the row.
   */
  readonly upstreamChanged?: boolean;
  readonly expiresAt: string;
}

export interface CancelledBuild extends BuildFacts {
  readonly state: 'cancelled';
  readonly finishedAt: string;
  readonly expiresAt: string;
}

/** A build that is being removed: the result document first, the objects after the document's max-age, the row last. */
export interface ExpiringBuild extends BuildFacts {
  readonly state: 'expiring';
  readonly binDir?: BinDir;
  readonly lease: Lease;
  /** When the result document was deleted; the objects follow `RESULT_MAX_AGE_SECONDS` later. */
  readonly unpublishedAt?: string;
}

export type Build = QueuedBuild | RunningBuild | DoneBuild | FailedBuild | CancelledBuild | ExpiringBuild;
export type BuildState = Build['state'];

/** The `max-age` of the published result document: caches may answer with it for so long after it was deleted. */
export const RESULT_MAX_AGE_SECONDS = 60;

const NEXT: Readonly<Record<BuildState, readonly BuildState[]>> = {
  queued: ['queued', 'building', 'cancelled', 'failed'],
  building: ['building', 'queued', 'done', 'failed', 'cancelled'],
  done: ['expiring'],
  failed: ['expiring'],
  cancelled: ['expiring'],
  expiring: ['expiring'],
};

/**
 * Whether a build may go from one state to the other (docs/architecture.md, States); only `claim` may start a row
 * again.
 */
export const isTransition = (from: BuildState, to: BuildState): boolean => NEXT[from].includes(to);

/** Whether a submit may replace this row: it is expired, cancelled, failed and not cached, or being removed. */
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

/** Whether the build has failed through no fault of its request: it is built again when a client asks for it again. */
export const isRetryable = (build: Build): build is FailedBuild => build.state === 'failed' && !build.cached;

/** Returns whether the build may have failed because upstream has changed. Rows of earlier versions do not say why. */
export const mayHaveFoundChange = (build: Build): build is FailedBuild => isRetryable(build) && build.upstreamChanged !== false;

/** How long such a failure is the answer to a client that asks again; the default of `REBUILD_PAUSE`. */
export const REBUILD_PAUSE_SECONDS = 10;

/**
 * Returns for how many seconds a retryable failure is still the answer; 0: the build may be tried again. Without the
 * pause, a client that polls by asking again would never see a failure, and the same build would begin forever.
 */
export function rebuildPauseLeft({ finishedAt }: FailedBuild, now: Date, pauseSeconds = REBUILD_PAUSE_SECONDS): number {
  const left = Math.ceil((Date.parse(finishedAt) - now.getTime()) / 1000 + pauseSeconds);
  // `now` may be behind the clock of the machine that wrote the failure.
  return Math.min(pauseSeconds, Math.max(0, left));
}

/**
 * Whether `current` is still in the state, and in the stay in that state, that `from` was read in: the rule of
 * `BuildTable.transition`.
 */
export function isStill(from: Build, current: Build): boolean {
  return from.hash === current.hash && from.state === current.state && markOf(from).value === markOf(current).value;
}

/** The field that differs between two stays in one state; a table compares it in the condition of each write. */
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

/** Returns the fields that stay the same through all states. */
export const factsOf = ({ hash, enqueuedAt, attempt, isPrivate, correlationId, ticket, previousBinDirs }: Build) => ({
  hash,
  enqueuedAt,
  attempt,
  isPrivate,
  correlationId,
  ...(ticket !== undefined && { ticket }),
  ...(previousBinDirs !== undefined && { previousBinDirs }),
});
