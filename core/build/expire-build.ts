import type { BinDir } from '#core/request/request-hash.ts';
import type { ArtifactStore, Clock } from '#core/stores.ts';
import { artifactKeys } from './artifact-keys.ts';
import { type Build, type ExpiringBuild, factsOf, type QueuedBuild, RESULT_MAX_AGE_SECONDS, type RunningBuild } from './build.ts';
import { leaseFor, seenSeconds, unrenewed } from './lease.ts';
import type { BuildTable } from './ports.ts';
import type { Sightings } from './sightings.ts';

export interface ExpireBuildDeps {
  readonly builds: BuildTable;
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
  readonly sightings: Sightings;
  readonly newSweepId: () => string;
}

/** How long one sweep may take to remove one build. */
const SWEEP_LEASE_SECONDS = 300;

/**
 * Does the first half of expiry: the answer goes. The new lease ends when caches have forgotten the published result,
 * and then a sweep does the second half.
 */
export async function unpublishBuild(
  deps: ExpireBuildDeps,
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
  const wasPublished = await removeAnswer(artifacts, expiring);
  const time = now();
  const mayBeCached = wasPublished || build.state === 'done' || build.previousBinDirs !== undefined;
  const lease = leaseFor(newSweepId(), time, mayBeCached ? RESULT_MAX_AGE_SECONDS : 0);
  await builds.transition(expiring, { ...expiring, unpublishedAt: time.toISOString(), lease });
  // The lease counts from here on, and not only from the next sweep.
  seenSeconds(deps.sightings, build.hash, lease);
  return 'unpublished';
}

/** Does the second half of expiry: the files and the row go. A build whose first half was cut short gets that first. */
export async function removeBuild(
  { builds, artifacts, now, newSweepId }: ExpireBuildDeps,
  build: ExpiringBuild,
): Promise<'removed' | undefined> {
  const mine: ExpiringBuild = { ...build, lease: leaseFor(newSweepId(), now(), SWEEP_LEASE_SECONDS) };
  if (!(await builds.transition(build, mine, unrenewed(build))).moved) return undefined;
  // A process that was stopped while it published may have put the result back. Then caches may have it, and get their
  // time again.
  const wasPublished = await removeAnswer(artifacts, build);
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

/** Removes the answer, and before it what it could be published from again. Returns whether it was published. */
async function removeAnswer(artifacts: ArtifactStore, build: ExpiringBuild): Promise<boolean> {
  for (const binDir of attemptsOf(build)) await artifacts.remove(artifactKeys.records(binDir));
  return (await artifacts.remove(artifactKeys.result(build.hash))) > 0;
}

const attemptsOf = ({ previousBinDirs = [], binDir }: ExpiringBuild): readonly BinDir[] => [
  ...previousBinDirs,
  ...(binDir === undefined ? [] : [binDir]),
];
