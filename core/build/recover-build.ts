import type { ArtifactStore } from '#core/stores.ts';
import { artifactKeys } from './artifact-keys.ts';
import { after, MAX_ATTEMPTS } from './attempt.ts';
import { type FailedBuild, factsOf, type QueuedBuild, type RunningBuild } from './build.ts';
import { unrenewed } from './lease.ts';
import { type SendAgainDeps, sendAgain } from './send-again.ts';
import { failureSeconds, type TimesToLive } from './times-to-live.ts';

export interface RecoverBuildDeps extends SendAgainDeps {
  readonly artifacts: ArtifactStore;
  readonly timesToLive: TimesToLive;
}

/**
 * Takes a build from a runner that is gone: the build goes back to the queue or, after the last attempt, fails. The
 * runner's lease is worth nothing from then on.
 */
export async function recoverBuild(deps: RecoverBuildDeps, build: RunningBuild): Promise<'returned' | 'failed' | undefined> {
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
          upstreamChanged: false,
          expiresAt: after(time, failureSeconds(deps.timesToLive, build)),
        };
  const { moved, current } = await builds.transition(build, next, unrenewed(build));
  if (!moved || current === undefined) return undefined;
  await artifacts.remove(artifactKeys.files(build.binDir));
  await artifacts.remove(artifactKeys.records(build.binDir));
  if (current.state !== 'queued') return 'failed';
  await sendAgain(deps, current);
  return 'returned';
}
