import { latestPlausible } from '#core/clock-skew.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import type { ArtifactStore, Clock } from '#core/stores.ts';
import { artifactKeys } from './artifact-keys.ts';
import {
  type Build,
  type ExpiringBuild,
  type FailedBuild,
  factsOf,
  type QueuedBuild,
  RESULT_MAX_AGE_SECONDS,
  type RunningBuild,
} from './build.ts';
import { isLapsed, leaseFor, seenSeconds } from './lease.ts';
import type { BuildQueue, BuildSweep, BuildTable } from './ports.ts';
import { MAX_ATTEMPTS, RETRY_DELAYS_SECONDS, type TimesToLive } from './run-build.ts';
import type { Sightings } from './sightings.ts';

export interface SweepDeps {
  readonly builds: BuildTable;
  readonly sweep: BuildSweep;
  readonly queue: BuildQueue;
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
  /** Kept from sweep to sweep: a lease that this process has not seen for as long as it lasts is not taken (`isLapsed`). */
  readonly sightings: Sightings;
  readonly newSweepId: () => string;
  readonly timesToLive: TimesToLive;
  /**
   * The longest pause before another attempt, in seconds; default: that of `RETRY_DELAYS_SECONDS`. A build in its pause has a
   * `queuedAt` that is still to come, which is no sign of a clock that has been set back.
   */
  readonly longestPauseSeconds?: number;
}

/** What one sweep did, by count. */
export interface Swept {
  readonly sent: number;
  readonly returned: number;
  readonly failed: number;
  readonly unpublished: number;
  readonly removed: number;
  /** Rows that could not be swept this time; the next sweep tries again. */
  readonly errors: readonly unknown[];
}

/** A queued row without `sentAt` for this long has lost its message. */
const UNSENT_AFTER_SECONDS = 60;
/** A message that is out for this long without anybody taking the build is sent again; duplicates do no harm. */
const STALE_AFTER_SECONDS = 3_600;
/** How long one sweep may take over the removal of one build. */
const SWEEP_LEASE_SECONDS = 300;
/** Rows of each kind per sweep: bounds the time of one. */
const LIMIT = 200;
/** Leases that are watched: those of all builds under way, behind as many expiries as a day may bring. */
const LEASES = 10_000;

/**
 * Puts right what crashes and lost messages left, and takes what has expired away in the one safe order: the attempt's own copy of the
 * result, from which it could be published again, then the published result, then (after its max-age) the objects, then the row.
 * Idempotent, and safe to run in any number of processes at once.
 */
export async function sweepBuilds(deps: SweepDeps): Promise<Swept> {
  const { sweep, now } = deps;
  const counts = { sent: 0, returned: 0, failed: 0, unpublished: 0, removed: 0 };
  const errors: unknown[] = [];
  const each = async <B extends Build>(builds: B[], act: (build: B) => Promise<keyof typeof counts | undefined>) => {
    for (const build of builds)
      try {
        const what = await act(build);
        if (what !== undefined) counts[what]++;
      } catch (error) {
        errors.push(error);
      }
  };

  const lapsed = (await sweep.leased(LEASES)).filter(({ hash, lease }) => isLapsed(deps, hash, lease));
  await each(lapsed.filter(isBuilding), (build) => recover(deps, build));
  await each(lapsed.filter(isExpiring).slice(0, LIMIT), (build) => remove(deps, build));
  await each(await sweep.expired(now(), LIMIT), (build) => unpublish(deps, build));
  const ahead = latestPlausible(now());
  const longestPauseSeconds = deps.longestPauseSeconds ?? Math.max(...RETRY_DELAYS_SECONDS);
  const afterPause = secondsAgo(ahead, -longestPauseSeconds);
  await each(await sweep.unsent(secondsAgo(now(), UNSENT_AFTER_SECONDS), LIMIT, afterPause), (build) => send(deps, build));
  await each(await sweep.stale(secondsAgo(now(), STALE_AFTER_SECONDS), LIMIT, ahead), (build) => send(deps, build));
  return { ...counts, errors };
}

async function send({ builds, queue, now }: SweepDeps, build: QueuedBuild): Promise<'sent'> {
  await queue.send({ hash: build.hash, correlationId: build.correlationId });
  await builds.transition(build, { ...build, sentAt: now().toISOString() });
  return 'sent';
}

/**
 * Takes every build under way for lost, whatever its lease says: for a server that starts and knows that nobody else works on its
 * table. Answers how many there were.
 */
export async function recoverAllBuilds(deps: SweepDeps): Promise<number> {
  const running = (await deps.sweep.leased(LEASES)).filter(isBuilding);
  for (const build of running) await recover(deps, build);
  return running.length;
}

/** The runner is gone: back to the queue, or, after the last attempt, failed. Either way its lease is dead from here on. */
async function recover(deps: SweepDeps, build: RunningBuild): Promise<'returned' | 'failed' | undefined> {
  const { builds, artifacts } = deps;
  const time = deps.now();
  const lastFailure = `the runner was lost in step ${build.step}`;
  const next: QueuedBuild | FailedBuild =
    build.attempt < MAX_ATTEMPTS
      ? { ...factsOf(build), state: 'queued', queuedAt: time.toISOString(), lastFailure }
      : {
          ...factsOf(build),
          state: 'failed',
          finishedAt: time.toISOString(),
          binDir: build.binDir,
          detail: `Error: ${lastFailure}, ${build.attempt} times`,
          cached: false,
          expiresAt: new Date(time.getTime() + deps.timesToLive.failureSeconds * 1000).toISOString(),
        };
  const { moved, current } = await builds.transition(build, next, unrenewed(build));
  if (!moved || current === undefined) return undefined;
  await artifacts.remove(artifactKeys.files(build.binDir));
  await artifacts.remove(artifactKeys.records(build.binDir));
  if (current.state !== 'queued') return 'failed';
  await send(deps, current);
  return 'returned';
}

/** First half of expiry. The new lease ends when caches have forgotten the document: then the sweep takes it up again. */
async function unpublish(
  deps: SweepDeps,
  build: Exclude<Build, QueuedBuild | RunningBuild | ExpiringBuild>,
): Promise<'unpublished' | undefined> {
  const { builds, artifacts, now, newSweepId } = deps;
  const expiring: ExpiringBuild = {
    ...factsOf(build),
    state: 'expiring',
    ...('binDir' in build && build.binDir !== undefined && { binDir: build.binDir }),
    lease: leaseFor(newSweepId(), now(), SWEEP_LEASE_SECONDS),
  };
  const { moved } = await builds.transition(build, expiring);
  if (!moved) return undefined;
  const wasPublished = await takeAway(artifacts, expiring);
  const time = now();
  const mayBeCached = wasPublished || build.state === 'done' || build.left !== undefined;
  const lease = leaseFor(newSweepId(), time, mayBeCached ? RESULT_MAX_AGE_SECONDS : 0);
  await builds.transition(expiring, { ...expiring, unpublishedAt: time.toISOString(), lease });
  // The lease counts from here on, and not only from the next sweep.
  seenSeconds(deps.sightings, build.hash, lease);
  return 'unpublished';
}

/** Second half; a build whose first half was cut short gets that first. */
async function remove({ builds, artifacts, now, newSweepId }: SweepDeps, build: ExpiringBuild): Promise<'removed' | undefined> {
  const mine: ExpiringBuild = { ...build, lease: leaseFor(newSweepId(), now(), SWEEP_LEASE_SECONDS) };
  if (!(await builds.transition(build, mine, unrenewed(build))).moved) return undefined;
  // A process that was stopped while it published may have put the result back: then caches may have it, and get their time again.
  const wasPublished = await takeAway(artifacts, build);
  if (build.unpublishedAt === undefined || wasPublished) {
    const unpublishedAt = now();
    const lease = leaseFor(newSweepId(), unpublishedAt, RESULT_MAX_AGE_SECONDS);
    await builds.transition(mine, { ...mine, unpublishedAt: unpublishedAt.toISOString(), lease });
    return undefined;
  }
  for (const binDir of attemptsOf(build)) await artifacts.remove(artifactKeys.files(binDir));
  await artifacts.remove(artifactKeys.result(build.hash));
  return (await builds.remove(mine)) ? 'removed' : undefined;
}

/** Takes the answer away: first what it could be published from again. Answers whether it was published. */
async function takeAway(artifacts: ArtifactStore, build: ExpiringBuild): Promise<boolean> {
  for (const binDir of attemptsOf(build)) await artifacts.remove(artifactKeys.records(binDir));
  return (await artifacts.remove(artifactKeys.result(build.hash))) > 0;
}

const attemptsOf = ({ left = [], binDir }: ExpiringBuild): readonly BinDir[] => [...left, ...(binDir === undefined ? [] : [binDir])];

const isBuilding = (build: Build): build is RunningBuild => build.state === 'building';
const isExpiring = (build: Build): build is ExpiringBuild => build.state === 'expiring';
/** Only if the lease was not renewed since the row was read: each renewal makes it later. */
const unrenewed = ({ lease }: RunningBuild | ExpiringBuild) => ({ lapsedAt: new Date(lease.expiresAt) });
const secondsAgo = (time: Date, seconds: number) => new Date(time.getTime() - seconds * 1000);
