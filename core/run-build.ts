import { artifactKeys, fileMeta, recordMeta, resultMeta } from './artifact-keys.ts';
import { type BuildStep, type DoneBuild, type FailedBuild, factsOf, type QueuedBuild, type RunningBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { BuildFailure, type BuildOutput, type FailureEvidence, InfrastructureFailure } from './build-output.ts';
import { StorageFullError } from './errors.ts';
import { keepLease } from './keep-lease.ts';
import { failureDocument, resultDocument } from './outcome.ts';
import type { ArtifactStore, BuildQueue, BuildTable, Clock, ImageMaker, ReceivedMessage } from './ports.ts';
import { binDirOf } from './request-hash.ts';

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
  /** Pauses after the attempts that failed for want of infrastructure; the last is for all further ones. Default 5 and 30. */
  readonly retryDelaysSeconds?: readonly number[];
  /** Told what happened, for log and statistics. Must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
}

export type RunEvent =
  | { type: 'started'; build: RunningBuild; order: BuildOrder }
  | { type: 'step'; build: RunningBuild; step: BuildStep }
  | { type: 'log'; build: RunningBuild; line: string }
  | { type: 'done'; build: DoneBuild; order: BuildOrder; output: BuildOutput }
  | { type: 'failed'; build: FailedBuild; order: BuildOrder; cause: unknown }
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
/** The store takes far more; four keep a small runner's memory flat. */
const PARALLEL_UPLOADS = 4;
const LOG_META = recordMeta('text/plain; charset=utf-8');

/**
 * Does one received message: takes the build's lease, makes the image, stores it, ends the build, and only then acknowledges.
 * Whatever goes wrong, the row ends in a state from which the build goes on or has an answer; what cannot even be written
 * down is left to the lease and the sweeper. `shutdown` hands the build back to the queue (not counted as an attempt).
 */
export async function runBuild(deps: RunBuildDeps, message: ReceivedMessage, shutdown: AbortSignal): Promise<void> {
  const { builds, queue, now, leaseSeconds = LEASE_SECONDS } = deps;
  const leaseEnd = () => after(now(), leaseSeconds);
  const queued = await builds.get(message.hash);
  const order = await builds.order(message.hash);
  if (queued?.state === 'failed' && queued.attempt >= MAX_ATTEMPTS && !queued.cached) return queue.bury(message, burialReason(queued));
  if (queued?.state !== 'queued' || order === undefined) return ignore(deps, message, `build is ${queued?.state ?? 'unknown'}`);
  if (shutdown.aborted) return queue.release(message);

  const attemptId = deps.newAttemptId();
  const taken = await builds.transition(queued, {
    ...factsOf(queued),
    state: 'building',
    attempt: queued.attempt + 1,
    startedAt: now().toISOString(),
    step: 'init',
    lease: { owner: attemptId, expiresAt: leaseEnd() },
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
    await upload(deps, taken.current, output, stop);
    await finish(deps, await lease.release(), order, output, message);
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

/** Files first, then the outcome: whoever reads the outcome finds the files. */
async function upload(
  { artifacts }: RunBuildDeps,
  { binDir, isPrivate }: RunningBuild,
  output: BuildOutput,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...output.files];
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined && !stop.aborted; file = waiting.shift())
      await artifacts.putFile(artifactKeys.file(binDir, file.name), file.path, fileMeta(file.name, isPrivate), stop);
  };
  // The first failure stops the others, and is told when all have: what they write after the clean-up would stay.
  await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, () => worker().catch((error) => failed.abort(error))));
  stop.throwIfAborted();
  if (output.logPath !== undefined) await artifacts.putFile(artifactKeys.log(binDir), output.logPath, LOG_META, signal);
}

async function finish(deps: RunBuildDeps, running: RunningBuild, order: BuildOrder, output: BuildOutput, message: ReceivedMessage) {
  const { artifacts, builds, queue, timesToLive } = deps;
  const finishedAt = deps.now();
  const done: DoneBuild = {
    ...factsOf(running),
    state: 'done',
    startedAt: running.startedAt,
    finishedAt: finishedAt.toISOString(),
    binDir: running.binDir,
    expiresAt: after(finishedAt, timeToLive(timesToLive, running, order)),
  };
  const document = JSON.stringify(resultDocument(order, done, output));
  await artifacts.put(artifactKeys.outcome(running.binDir), document, recordMeta('application/json'));
  const { moved } = await builds.transition(running, done);
  if (!moved) return drop(deps, running, message);
  // Done is done: what goes wrong from here on (a crash, a full disk) is healed by whoever reads the row next.
  await artifacts.put(artifactKeys.result(done.hash), document, resultMeta(done.isPrivate)).catch(() => undefined);
  await queue.acknowledge(message).catch(() => undefined);
  deps.onEvent?.({ type: 'done', build: done, order, output });
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
    const again: QueuedBuild = { ...factsOf(running), state: 'queued', queuedAt: finishedAt.toISOString(), lastFailure: detail };
    if (await returnToQueue(deps, running, again, message, delaySeconds))
      deps.onEvent?.({ type: 'retrying', build: again, order, cause: error, delaySeconds });
    return;
  }

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
  if (evidence.logPath !== undefined)
    await artifacts.putFile(artifactKeys.log(running.binDir), evidence.logPath, LOG_META).catch(() => undefined);
  await artifacts
    .put(artifactKeys.outcome(running.binDir), JSON.stringify(failureDocument(order, failed, evidence)), recordMeta('application/json'))
    .catch(() => undefined);
  const { moved } = await builds.transition(running, failed);
  if (!moved) return drop(deps, running, message);
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  if (isFinal) await queue.acknowledge(message);
  else await queue.bury(message, burialReason(failed));
  deps.onEvent?.({ type: 'failed', build: failed, order, cause: error });
}

/** Shutting down: the attempt does not count, and the message is visible again at once. */
async function handBack(deps: RunBuildDeps, running: RunningBuild, message: ReceivedMessage) {
  const again: QueuedBuild = {
    ...factsOf(running),
    state: 'queued',
    attempt: running.attempt - 1,
    queuedAt: deps.now().toISOString(),
  };
  if (await returnToQueue(deps, running, again, message, 0)) deps.onEvent?.({ type: 'handed-back', build: again });
}

async function returnToQueue(
  deps: RunBuildDeps,
  running: RunningBuild,
  again: QueuedBuild,
  message: ReceivedMessage,
  delaySeconds: number,
): Promise<boolean> {
  const { artifacts, builds, queue, now } = deps;
  const { moved } = await builds.transition(running, again);
  if (!moved) {
    await drop(deps, running, message);
    return false;
  }
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  await queue.release(message, delaySeconds);
  await builds.transition(again, { ...again, sentAt: now().toISOString() });
  return true;
}

/** The row is no longer ours: what we made is nobody's — unless it was our own write to `done` whose answer got lost. */
async function drop({ artifacts, builds, queue, onEvent }: RunBuildDeps, running: RunningBuild, message: ReceivedMessage) {
  const current = await builds.get(running.hash);
  if (!(current?.state === 'done' && current.binDir === running.binDir)) {
    // Where a runner may not remove, the backstop does.
    await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
    await artifacts.remove(artifactKeys.records(running.binDir)).catch(() => 0);
  }
  await queue.acknowledge(message);
  onEvent?.({ type: 'lost', build: running });
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
