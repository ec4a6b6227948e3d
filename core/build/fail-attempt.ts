import { StorageFullError } from '#core/errors.ts';
import { BuildFailure, type BuildOutput, type FailureEvidence, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { artifactKeys, recordMeta } from './artifact-keys.ts';
import { type Attempt, type AttemptDeps, after, MAX_ATTEMPTS, RETRY_DELAYS_SECONDS } from './attempt.ts';
import { type FailedBuild, factsOf, isStill, type QueuedBuild } from './build.ts';
import { dropAttempt } from './drop-attempt.ts';
import { burialReason, failureDetail } from './failure-texts.ts';
import { moveBuild } from './move-build.ts';
import { failureDocument } from './outcome-documents.ts';
import { returnToQueue } from './return-to-queue.ts';
import { failureSeconds } from './times-to-live.ts';
import { uploadLog } from './upload-output.ts';

/** Ends an attempt that threw: the build goes back to the queue after a pause, or fails for good. */
export async function failAttempt(deps: AttemptDeps, attempt: Attempt, thrown: unknown, evidence: FailureEvidence): Promise<void> {
  const { running, order } = attempt;
  const cause = thrown instanceof StorageFullError ? new InfrastructureFailure(thrown.message, { cause: thrown }) : thrown;
  const isFinal = cause instanceof BuildFailure || (cause instanceof InfrastructureFailure && cause.isFinal);
  if (isFinal || running.attempt >= MAX_ATTEMPTS) return failForGood(deps, attempt, cause, evidence, isFinal);

  const delays = deps.retryDelaysSeconds ?? RETRY_DELAYS_SECONDS;
  const delaySeconds = delays[running.attempt - 1] ?? delays.at(-1) ?? 0;
  const queuedAt = after(deps.now(), delaySeconds);
  const again: QueuedBuild = { ...factsOf(running), state: 'queued', queuedAt, lastFailure: failureDetail(cause) };
  const onReturned = () => deps.onEvent?.({ type: 'retrying', build: again, order, cause, delaySeconds });
  return returnToQueue(deps, attempt, again, { delaySeconds, onReturned });
}

async function failForGood(deps: AttemptDeps, attempt: Attempt, cause: unknown, evidence: FailureEvidence, isFinal: boolean) {
  const { artifacts, builds, queue } = deps;
  const { running, order, message } = attempt;
  // The write that ends a build may have been answered with an error and have succeeded: then no failure is written
  // beside it.
  const current = await builds.get(running.hash);
  if (current === undefined || !isStill(running, current)) return dropAttempt(deps, attempt);

  const finishedAt = deps.now();
  const isCached = cause instanceof BuildFailure;
  const upstreamChanged = cause instanceof UpstreamChangedFailure;
  const failed: FailedBuild = {
    ...factsOf(running),
    state: 'failed',
    finishedAt: finishedAt.toISOString(),
    binDir: running.binDir,
    detail: failureDetail(cause),
    cached: isCached,
    ...(!isCached && { upstreamChanged }),
    expiresAt: after(finishedAt, failureSeconds(deps.timesToLive, running)),
  };
  // Without room for log and document the row still says what failed.
  if (evidence.logPath !== undefined) await uploadLog(deps, running, evidence.logPath).catch(() => undefined);
  await artifacts
    .put(artifactKeys.failure(running.binDir), JSON.stringify(failureDocument(order, failed, evidence)), recordMeta('application/json'))
    .catch(() => undefined);
  if (upstreamChanged) await deps.onUpstreamChanged?.(order, finishedAt);
  const { moved } = await moveBuild(builds, running, failed);
  if (!moved) return dropAttempt(deps, attempt);
  deps.onEvent?.({ type: 'failed', build: failed, order, cause });
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  if (isFinal) await queue.acknowledge(message);
  else await queue.bury(message, burialReason(failed));
}

/** Returns the evidence of a failure. A build that failed after its images were made has a log too. */
export function evidenceOf(error: unknown, output: BuildOutput | undefined): FailureEvidence {
  const evidence = error instanceof BuildFailure || error instanceof InfrastructureFailure ? error.evidence : {};
  return output?.logPath === undefined ? evidence : { logPath: output.logPath, ...evidence };
}
