import { StorageFullError } from '#core/errors.ts';
import { BuildFailure, type BuildOutput, type FailureEvidence, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { binDirOf } from '#core/request/request-hash.ts';
import type { ArtifactStore, Clock, Monotonic } from '#core/stores.ts';
import { artifactKeys, recordMeta } from './artifact-keys.ts';
import { type BuildStep, type DoneBuild, type FailedBuild, factsOf, isStill, type QueuedBuild, type RunningBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { keepLease } from './keep-lease.ts';
import { leaseFor } from './lease.ts';
import { moveBuild } from './move-build.ts';
import { failureDocument, resultDocument } from './outcome-documents.ts';
import type { BuildQueue, BuildTable, ImageMaker, ReceivedMessage } from './ports.ts';
import { publishResult } from './publish-result.ts';
import { uploadLog, uploadOutput } from './upload-output.ts';

/** How long results are remembered, in seconds; settings of the reference server (`build_ttl`, …). */
export interface TimesToLive {
  readonly buildSeconds: number;
  /** For requests without `packages_versions`. */
  readonly unversionedSeconds: number;
  readonly defaultsSeconds: number;
  readonly failureSeconds: number;
}

export interface RunBuildDeps {
  readonly builds: BuildTable;
  readonly queue: BuildQueue;
  readonly artifacts: ArtifactStore;
  readonly imageMaker: ImageMaker;
  readonly now: Clock;
  readonly monotonic: Monotonic;
  /** A name never used before, for each attempt. */
  readonly newAttemptId: () => string;
  /** Calls back every so many milliseconds until stopped. */
  readonly every: (ms: number, call: () => void) => () => void;
  readonly timesToLive: TimesToLive;
  /** How long a build is ours without a renewal. Default `LEASE_SECONDS`. */
  readonly leaseSeconds?: number;
  /** See `keepLease`. */
  readonly stepsEveryMs?: number;
  /** See `keepLease`. */
  readonly renewAfterSeconds?: number;
  /** See `uploadOutput`. */
  readonly uploadSeconds?: number;
  /** Pauses after the attempts that failed for want of infrastructure; the last is for all further ones. Default 5 and 30. */
  readonly retryDelaysSeconds?: readonly number[];
  /** Told what happened, for log and statistics. Must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
}

export type RunEvent =
  | { type: 'started'; build: RunningBuild; order: BuildOrder }
  | { type: 'step'; build: RunningBuild; step: BuildStep }
  | { type: 'log'; build: RunningBuild; line: string }
  /** `seconds`: how long the attempt took. */
  | { type: 'done'; build: DoneBuild; order: BuildOrder; output: BuildOutput; seconds: number }
  /** Without an order: that is what it failed for. */
  | { type: 'failed'; build: FailedBuild; order: BuildOrder | undefined; cause: unknown }
  | { type: 'retrying'; build: QueuedBuild; order: BuildOrder; cause: unknown; delaySeconds: number }
  | { type: 'handed-back'; build: QueuedBuild }
  | { type: 'lost'; build: RunningBuild }
  | { type: 'ignored'; message: ReceivedMessage; reason: string };

/** Attempts that end by themselves or by a lost runner; after the last the build is failed. */
export const MAX_ATTEMPTS = 3;
/** After this long without a sign of life a runner is taken for lost. */
export const LEASE_SECONDS = 60;
/** Between attempts after an infrastructure failure: by attempt, seconds. */
export const RETRY_DELAYS_SECONDS: readonly number[] = [5, 30];
const MAX_DETAIL_LENGTH = 500;

/**
 * Does one received message: takes the build's lease, makes the image, stores it, ends the build, and only then acknowledges.
 * Whatever goes wrong, the row ends in a state from which the build goes on or has an answer; what cannot even be written
 * down is left to the lease and the sweeper. `shutdown` hands the build back to the queue (not counted as an attempt).
 */
export async function runBuild(deps: RunBuildDeps, message: ReceivedMessage, shutdown: AbortSignal): Promise<void> {
  const { builds, queue, now, monotonic, leaseSeconds = LEASE_SECONDS } = deps;
  const queued = await builds.get(message.hash);
  if (queued?.state === 'failed' && queued.attempt >= MAX_ATTEMPTS && !queued.cached) return queue.bury(message, burialReason(queued));
  if (queued?.state !== 'queued') return ignore(deps, message, `build is ${queued?.state ?? 'unknown'}`);
  if (shutdown.aborted) return queue.release(message);
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
  const stop = AbortSignal.any([shutdown, lease.lost]);
  let output: BuildOutput | undefined;
  try {
    output = await deps.imageMaker.make(order, taken.current.binDir, lease.progress, stop);
    stop.throwIfAborted();
    // Files first, then the outcome: a reader of the outcome finds the files.
    await uploadOutput(deps, taken.current, output, stop);
    await finish(deps, await lease.release(), order, output, message, begunAt);
  } catch (error) {
    const evidence = evidenceOf(error, output);
    try {
      const running = await lease.release();
      if (lease.lost.aborted) await drop(deps, running, message);
      else if (shutdown.aborted) await handBack(deps, running, message);
      else await fail(deps, running, order, error, evidence, message);
    } finally {
      await evidence.dispose?.();
    }
  } finally {
    await output?.dispose();
  }
}

async function finish(
  deps: RunBuildDeps,
  running: RunningBuild,
  order: BuildOrder,
  output: BuildOutput,
  message: ReceivedMessage,
  begunAt: number,
) {
  const { artifacts, builds, queue, timesToLive } = deps;
  const finishedAt = deps.now();
  const seconds = (deps.monotonic() - begunAt) / 1000;
  const done: DoneBuild = {
    ...factsOf(running),
    state: 'done',
    startedAt: running.startedAt,
    finishedAt: finishedAt.toISOString(),
    binDir: running.binDir,
    expiresAt: after(finishedAt, timeToLive(timesToLive, running, order)),
  };
  const document = JSON.stringify(resultDocument(order, done, output));
  await artifacts.put(artifactKeys.success(running.binDir), document, recordMeta('application/json'));
  const { moved } = await moveBuild(builds, running, done);
  if (!moved) return drop(deps, running, message);
  // Done is done: what goes wrong from here on (a crash, a full disk) is healed by the next reader of the row.
  await publishResult(deps, done, document);
  await queue.acknowledge(message).catch(() => undefined);
  deps.onEvent?.({ type: 'done', build: done, order, output, seconds });
}

async function fail(
  deps: RunBuildDeps,
  running: RunningBuild,
  order: BuildOrder,
  cause: unknown,
  evidence: FailureEvidence,
  message: ReceivedMessage,
) {
  const { artifacts, builds, queue } = deps;
  const error = cause instanceof StorageFullError ? new InfrastructureFailure(cause.message, { cause }) : cause;
  const isDeterministic = error instanceof BuildFailure;
  const isFinal = isDeterministic || (error instanceof InfrastructureFailure && error.isFinal);
  const detail = detailOf(error);
  const finishedAt = deps.now();

  if (!isFinal && running.attempt < MAX_ATTEMPTS) {
    const delays = deps.retryDelaysSeconds ?? RETRY_DELAYS_SECONDS;
    const delaySeconds = delays[running.attempt - 1] ?? delays.at(-1) ?? 0;
    const again: QueuedBuild = { ...factsOf(running), state: 'queued', queuedAt: after(finishedAt, delaySeconds), lastFailure: detail };
    const onReturned = () => deps.onEvent?.({ type: 'retrying', build: again, order, cause: error, delaySeconds });
    return returnToQueue(deps, running, again, message, { delaySeconds, onReturned });
  }
  // The write that ends a build may have been answered with an error and done all the same: then nothing is written beside it.
  const current = await builds.get(running.hash);
  if (current === undefined || !isStill(running, current)) return drop(deps, running, message);

  const failed: FailedBuild = {
    ...factsOf(running),
    state: 'failed',
    finishedAt: finishedAt.toISOString(),
    binDir: running.binDir,
    detail,
    cached: isDeterministic,
    expiresAt: after(finishedAt, running.isPrivate ? deps.timesToLive.defaultsSeconds : deps.timesToLive.failureSeconds),
  };
  // Without room for the story the row still says what failed.
  if (evidence.logPath !== undefined) await uploadLog(deps, running, evidence.logPath).catch(() => undefined);
  await artifacts
    .put(artifactKeys.failure(running.binDir), JSON.stringify(failureDocument(order, failed, evidence)), recordMeta('application/json'))
    .catch(() => undefined);
  const { moved } = await moveBuild(builds, running, failed);
  if (!moved) return drop(deps, running, message);
  deps.onEvent?.({ type: 'failed', build: failed, order, cause: error });
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  if (isFinal) await queue.acknowledge(message);
  else await queue.bury(message, burialReason(failed));
}

/** A build that is queued without an order can never be built: it ends, so that its client hears of it and may ask again. */
async function giveUp(deps: RunBuildDeps, queued: QueuedBuild, message: ReceivedMessage) {
  const { builds, queue, timesToLive } = deps;
  const finishedAt = deps.now();
  const cause = new InfrastructureFailure('what this build was asked for is lost, please ask again', { isFinal: true });
  const failed: FailedBuild = {
    ...factsOf(queued),
    state: 'failed',
    finishedAt: finishedAt.toISOString(),
    detail: detailOf(cause),
    cached: false,
    expiresAt: after(finishedAt, timesToLive.failureSeconds),
  };
  const { moved } = await moveBuild(builds, queued, failed);
  if (!moved) return ignore(deps, message, 'somebody else took it');
  deps.onEvent?.({ type: 'failed', build: failed, order: undefined, cause });
  await queue.bury(message, burialReason(failed));
}

/** Shutting down: the attempt does not count, and the message is visible again at once. */
async function handBack(deps: RunBuildDeps, running: RunningBuild, message: ReceivedMessage) {
  const again: QueuedBuild = {
    ...factsOf(running),
    state: 'queued',
    attempt: running.attempt - 1,
    queuedAt: deps.now().toISOString(),
  };
  const onReturned = () => deps.onEvent?.({ type: 'handed-back', build: again });
  await returnToQueue(deps, running, again, message, { delaySeconds: 0, onReturned });
}

/**
 * Puts the build back into the queue without a `sentAt`: its message may be gone, acknowledged by a runner that got it once more and
 * met a build under way. Where the released message does not bring another runner, the sweeper sends a new one.
 */
async function returnToQueue(
  deps: RunBuildDeps,
  running: RunningBuild,
  again: QueuedBuild,
  message: ReceivedMessage,
  { delaySeconds, onReturned }: { delaySeconds: number; onReturned: () => void },
): Promise<void> {
  const { artifacts, builds, queue } = deps;
  const { moved } = await moveBuild(builds, running, again);
  if (!moved) return drop(deps, running, message);
  onReturned();
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  await queue.release(message, delaySeconds);
}

/**
 * The build goes on without this runner. What it made is removed, unless the row names it: a write of this runner that was never
 * answered may have ended the build, or may still do so.
 */
async function drop({ artifacts, builds, queue, onEvent }: RunBuildDeps, running: RunningBuild, message: ReceivedMessage) {
  onEvent?.({ type: 'lost', build: running });
  const current = await builds.get(running.hash);
  if (!(current !== undefined && 'binDir' in current && current.binDir === running.binDir)) {
    // Where a runner may not remove, the backstop does.
    await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
    await artifacts.remove(artifactKeys.records(running.binDir)).catch(() => 0);
  }
  await queue.acknowledge(message);
}

async function ignore({ queue, onEvent }: RunBuildDeps, message: ReceivedMessage, reason: string) {
  await queue.acknowledge(message);
  onEvent?.({ type: 'ignored', message, reason });
}

function timeToLive(times: TimesToLive, { isPrivate }: RunningBuild, { request }: BuildOrder): number {
  if (isPrivate) return times.defaultsSeconds;
  return Object.keys(request.packages_versions).length > 0 ? times.buildSeconds : times.unversionedSeconds;
}

/** Dead letters outlive the build: the detail of a private one, which may name its packages, stays out of them. */
const burialReason = ({ isPrivate, detail }: FailedBuild) => (isPrivate ? 'Error: a private build failed' : detail);

const after = (time: Date, seconds: number) => new Date(time.getTime() + seconds * 1000).toISOString();

/** What is known of a failure. A build that failed after its images were made has a log too. */
function evidenceOf(error: unknown, output: BuildOutput | undefined): FailureEvidence {
  const evidence = error instanceof BuildFailure || error instanceof InfrastructureFailure ? error.evidence : {};
  return output?.logPath === undefined ? evidence : { logPath: output.logPath, ...evidence };
}

function detailOf(error: unknown): string {
  // What nobody foresaw may name paths and worse: it is for the log alone.
  const text =
    error instanceof BuildFailure || error instanceof InfrastructureFailure
      ? error.message
      : 'the build could not be run; the reason is in the log of the server';
  return `Error: ${text}`.slice(0, MAX_DETAIL_LENGTH);
}
