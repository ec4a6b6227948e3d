import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { binDirOf } from '#core/request/request-hash.ts';
import { type AttemptDeps, after, LEASE_SECONDS, MAX_ATTEMPTS } from './attempt.ts';
import { type FailedBuild, factsOf, type QueuedBuild } from './build.ts';
import { dropAttempt } from './drop-attempt.ts';
import { evidenceOf, failAttempt } from './fail-attempt.ts';
import { burialReason, failureDetail } from './failure-texts.ts';
import { finishAttempt } from './finish-attempt.ts';
import { type KeepLeaseDeps, keepLease } from './keep-lease.ts';
import { leaseFor } from './lease.ts';
import { moveBuild } from './move-build.ts';
import type { ImageMaker, ReceivedMessage } from './ports.ts';
import { forLog } from './private-build-error.ts';
import { handBack } from './return-to-queue.ts';
import { failureSeconds } from './times-to-live.ts';
import { uploadOutput } from './upload-output.ts';

export interface RunBuildDeps extends AttemptDeps, KeepLeaseDeps {
  readonly imageMaker: ImageMaker;
  /** Returns a name never used before, for each attempt. */
  readonly newAttemptId: () => string;
  /** How long the build belongs to this runner without a renewal. Default `LEASE_SECONDS`. */
  readonly leaseSeconds?: number;
}

/**
 * Does one received message: takes the build's lease, makes the image, stores it, ends the build, and only then
 * acknowledges. Whatever goes wrong, the row ends in a state from which the build goes on or has an answer; what cannot
 * even be written down is left to the lease and the sweeper. `shutdown` hands the build back to the queue, which does
 * not count as an attempt.
 */
export async function runBuild(deps: RunBuildDeps, message: ReceivedMessage, shutdown: AbortSignal): Promise<void> {
  const queued = await deps.builds.get(message.hash);
  if (queued?.state === 'failed' && queued.attempt >= MAX_ATTEMPTS && !queued.cached) return deps.queue.bury(message, burialReason(queued));
  if (queued?.state !== 'queued') return ignore(deps, message, `build is ${queued?.state ?? 'unknown'}`);
  if (shutdown.aborted) return deps.queue.release(message);
  await attemptBuild(deps, queued, message, shutdown).catch((error) => {
    throw forLog(error, queued);
  });
}

async function attemptBuild(deps: RunBuildDeps, queued: QueuedBuild, message: ReceivedMessage, shutdown: AbortSignal): Promise<void> {
  const { builds, now, monotonic, leaseSeconds = LEASE_SECONDS } = deps;
  const order = await builds.order(message.hash);
  if (order === undefined) return giveUp(deps, queued, message);

  const attemptId = deps.newAttemptId();
  const begunAt = monotonic();
  const taken = await moveBuild(builds, queued, {
    ...factsOf(queued),
    state: 'building',
    attempt: queued.attempt + 1,
    startedAt: now().toISOString(),
    step: 'init',
    lease: leaseFor(attemptId, now(), leaseSeconds),
    binDir: binDirOf(queued.hash, attemptId),
  });
  if (!taken.moved || taken.current?.state !== 'building') return ignore(deps, message, 'somebody else took it');
  deps.onEvent?.({ type: 'started', build: taken.current, order });

  const lease = keepLease(deps, taken.current, message, leaseSeconds);
  const attempt = async () => ({ running: await lease.release(), order, message, begunAt });
  const stop = AbortSignal.any([shutdown, lease.lost]);
  let output: BuildOutput | undefined;
  try {
    output = await deps.imageMaker.make(order, taken.current.binDir, lease.progress, stop);
    stop.throwIfAborted();
    // The files go first, then the outcome: a reader of the outcome finds the files.
    await uploadOutput(deps, taken.current, output, stop);
    await finishAttempt(deps, await attempt(), output);
  } catch (error) {
    const evidence = evidenceOf(error, output);
    try {
      const ending = await attempt();
      if (lease.lost.aborted) await dropAttempt(deps, ending);
      else if (shutdown.aborted) await handBack(deps, ending);
      else await failAttempt(deps, ending, error, evidence);
    } finally {
      await evidence.dispose?.();
    }
  } finally {
    await output?.dispose();
  }
}

/** Ends a build that is queued without an order: it can never be built, so its client is answered and may ask again. */
async function giveUp(deps: RunBuildDeps, queued: QueuedBuild, message: ReceivedMessage): Promise<void> {
  const { builds, queue, timesToLive } = deps;
  const finishedAt = deps.now();
  const cause = new InfrastructureFailure('what this build was asked for is lost, please ask again', { isFinal: true });
  const failed: FailedBuild = {
    ...factsOf(queued),
    state: 'failed',
    finishedAt: finishedAt.toISOString(),
    detail: failureDetail(cause),
    cached: false,
    upstreamChanged: false,
    expiresAt: after(finishedAt, failureSeconds(timesToLive, queued)),
  };
  const { moved } = await moveBuild(builds, queued, failed);
  if (!moved) return ignore(deps, message, 'somebody else took it');
  deps.onEvent?.({ type: 'failed', build: failed, order: undefined, cause });
  await queue.bury(message, burialReason(failed));
}

async function ignore({ queue, onEvent }: RunBuildDeps, message: ReceivedMessage, reason: string): Promise<void> {
  await queue.acknowledge(message);
  onEvent?.({ type: 'ignored', message, reason });
}
