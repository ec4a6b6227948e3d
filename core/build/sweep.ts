import { latestPlausible } from '#core/clock-skew.ts';
import { RETRY_DELAYS_SECONDS } from './attempt.ts';
import type { Build, ExpiringBuild, RunningBuild } from './build.ts';
import { type ExpireBuildDeps, removeBuild, unpublishBuild } from './expire-build.ts';
import { isLapsed } from './lease.ts';
import type { LeaseNotes } from './lease-notes.ts';
import type { BuildSweep } from './ports.ts';
import { forLog } from './private-build-error.ts';
import { type RecoverBuildDeps, recoverBuild } from './recover-build.ts';
import { sendAgain } from './send-again.ts';

export interface SweepDeps extends RecoverBuildDeps, ExpireBuildDeps {
  readonly sweep: BuildSweep;
  /** Needed where the processes that sweep may all end before a lease does. */
  readonly leaseNotes?: LeaseNotes;
  /**
   * The longest pause before another attempt, in seconds; default: that of `RETRY_DELAYS_SECONDS`. A build in its pause
   * has a `queuedAt` that is still to come, which is no sign of a clock that has been set back.
   */
  readonly longestPauseSeconds?: number;
}

/** The counts of one sweep. */
export interface Swept {
  readonly sent: number;
  readonly returned: number;
  readonly failed: number;
  readonly unpublished: number;
  readonly removed: number;
  /** One for each build that could not be swept this time (`UnsweptBuildError`); the next sweep tries again. */
  readonly errors: readonly unknown[];
  /** Why a list of builds could not be read; the other lists were swept all the same. */
  readonly unread: readonly unknown[];
}

/** A build could not be swept. The `cause` of a private build has no text. */
export class UnsweptBuildError extends Error {
  override readonly name = 'UnsweptBuildError';
  readonly build: Build;
  constructor(build: Build, cause: unknown) {
    super('a build could not be swept', { cause: forLog(cause, build) });
    this.build = build;
  }
}

/** A queued row without `sentAt` for this long has lost its message. */
const UNSENT_AFTER_SECONDS = 60;
/** A message that no runner takes for this long is sent again; duplicates do no harm. */
const STALE_AFTER_SECONDS = 3_600;
/** The number of rows of each kind per sweep, which bounds the time of one. */
const LIMIT = 200;
/** The number of leases that are watched: those of all running builds, and the expiries that one day may bring. */
const LEASES = 10_000;

/**
 * Repairs what crashes and lost messages left, and removes what has expired in the one safe order: the attempt's own
 * copy of the result, from which it could be published again, then the published result, then (after its max-age) the
 * files, then the row. Idempotent, and safe to run in any number of processes at once. Never throws.
 */
export async function sweepBuilds(deps: SweepDeps): Promise<Swept> {
  const { sweep, now } = deps;
  const counts = { sent: 0, returned: 0, failed: 0, unpublished: 0, removed: 0 };
  const errors: unknown[] = [];
  const unread: unknown[] = [];
  const listed = async <B extends Build>(list: () => Promise<readonly B[]>): Promise<readonly B[]> => {
    try {
      return await list();
    } catch (error) {
      unread.push(error);
      return [];
    }
  };
  const each = async <B extends Build>(builds: readonly B[], act: (build: B) => Promise<keyof typeof counts | undefined>) => {
    for (const build of builds)
      try {
        const what = await act(build);
        if (what !== undefined) counts[what]++;
      } catch (error) {
        errors.push(new UnsweptBuildError(build, error));
      }
  };

  const leased = await listed(() => sweep.leased(LEASES));
  const notedSeconds = await notedSecondsOf(deps, leased).catch((error) => {
    unread.push(error);
    return () => 0;
  });
  const lapsed = leased.filter(({ hash, lease }) => isLapsed(deps, hash, lease, notedSeconds(lease)));
  await each(lapsed.filter(isBuilding), (build) => recoverBuild(deps, build));
  await each(lapsed.filter(isExpiring).slice(0, LIMIT), (build) => removeBuild(deps, build));
  await each(await listed(() => sweep.expired(now(), LIMIT)), (build) => unpublishBuild(deps, build));
  const ahead = latestPlausible(now());
  const afterPause = secondsAgo(ahead, -(deps.longestPauseSeconds ?? Math.max(...RETRY_DELAYS_SECONDS)));
  const unsentBefore = secondsAgo(now(), UNSENT_AFTER_SECONDS);
  await each(await listed(() => sweep.unsent(unsentBefore, LIMIT, afterPause)), (build) => sendAgain(deps, build));
  const staleBefore = secondsAgo(now(), STALE_AFTER_SECONDS);
  await each(await listed(() => sweep.stale(staleBefore, LIMIT, ahead)), (build) => sendAgain(deps, build));
  return { ...counts, errors, unread };
}

/**
 * Treats every running build as lost, whatever its lease says: for a server that starts and knows that no other process
 * works on its table. Returns how many there were.
 */
export async function recoverAllBuilds(deps: Pick<SweepDeps, 'sweep'> & RecoverBuildDeps): Promise<number> {
  const running = (await deps.sweep.leased(LEASES)).filter(isBuilding);
  for (const build of running)
    await recoverBuild(deps, build).catch((error) => {
      throw forLog(error, build);
    });
  return running.length;
}

const notedSecondsOf = async ({ leaseNotes }: SweepDeps, leased: readonly (RunningBuild | ExpiringBuild)[]) =>
  leaseNotes === undefined || leased.length === 0 ? () => 0 : leaseNotes.look(leased.map(({ lease }) => lease));

const isBuilding = (build: Build): build is RunningBuild => build.state === 'building';
const isExpiring = (build: Build): build is ExpiringBuild => build.state === 'expiring';
const secondsAgo = (time: Date, seconds: number) => new Date(time.getTime() - seconds * 1000);
