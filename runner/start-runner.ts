import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { dynamoOutdatedInputs } from '#adapters/aws/builds/outdated-inputs.ts';
import { DYNAMO_CLIENT, S3_CLIENT, SQS_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { assertQueueReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { fetchThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { proxiesOf } from '#adapters/upstream/proxies.ts';
import { abiNoter } from '#core/build/note-abi.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import type { RunEvent } from '#core/build/run-event.ts';
import { imagebuilderAbi } from '#core/package-solver/imagebuilder-abi.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import type { Log } from '#observe/log.ts';
import { logRunEvent } from '#observe/log-run-event.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import type { MetricEvents } from '#observe/metric-events.ts';
import { timesToLive } from '#settings/times-to-live.ts';
import { assertBucketWritable } from './assert-bucket-writable.ts';
import type { RunnerConfig } from './config.ts';
import type { SandboxFacts } from './imagebuilder/sandbox/sandbox-facts.ts';
import { logSandbox } from './log-sandbox.ts';
import type { MakerParts } from './maker-from-config.ts';
import { type RunWorkersDeps, runWorkers } from './run-workers.ts';
import { placeKeys } from './signing/place-keys.ts';
import { ecsTaskProtection, noTaskProtection } from './task-protection.ts';

/** The image maker of a runner, as the runner needs it. */
export interface RunnerMaker extends ImageMaker {
  /** Prepares for the first build, and returns how well builds are isolated from this machine. */
  ready(): Promise<SandboxFacts>;
  /** Returns whether the runner must end after the current build. */
  mustRetire(): boolean;
}

/** The metrics that a runner reports. Each one is optional. */
export type RunnerMetrics = Pick<MetricEvents, 'onRunEvent' | 'onUpstream' | 'onLeftover'> &
  Pick<RunWorkersDeps, 'onSlots'> & {
    readonly onSandbox?: (facts: SandboxFacts) => void;
  };

export type MakeMaker = (config: RunnerConfig, parts: MakerParts) => RunnerMaker;

/** The interval at which the runner touches its file as a sign of life. */
const ALIVE_EVERY_MS = 10_000;
/**
 * The interval at which build steps are written. Clients poll every five seconds, and each written step costs a write
 * unit.
 */
export const STEPS_EVERY_MS = 2_000;
/**
 * The share of the lease after which it is renewed: late, since each renewal costs a write unit, and early enough for
 * several tries.
 */
export const RENEW_AFTER = 2 / 3;
/** The time that a task stays protected in addition to the longest time a build may take. */
const PROTECTION_SLACK_MINUTES = 10;

/**
 * Runs builds over SQS, DynamoDB and S3 until the process receives SIGTERM or SIGINT, then hands back what it has not
 * finished.
 */
export async function startRunner(config: RunnerConfig, log: Log, makeMaker: MakeMaker, metrics?: RunnerMetrics): Promise<void> {
  const dynamo = new DynamoDBClient(DYNAMO_CLIENT);
  const sqs = new SQSClient(SQS_CLIENT);
  const s3 = new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });
  const every = (ms: number, call: () => void) => {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  };

  // This comes first because starting may take long: a runner that is stopped while it starts has nothing to hand back.
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info('runner stopping: its builds go back to the queue', { signal });
      stop.abort();
    });

  const artifacts = s3ArtifactStore(s3, config.ARTIFACT_BUCKET);
  await Promise.all([
    assertTableReady(dynamo, config.BUILD_TABLE),
    assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
    assertQueueReady(sqs, config.BUILD_QUEUE_URL),
    assertBucketWritable(artifacts, config.ARTIFACT_BUCKET),
  ]);
  await placeKeys(config.keyDir, { 'key-build': config.SIGNING_SECRET, 'local-private-key.pem': config.APK_SIGNING_SECRET });
  const maker = makeMaker(config, {
    keys: config.TRUSTED_KEYS,
    onLeftover: (leftover) => {
      log.warn('leftover of a build not removed', { ...leftover });
      metrics?.onLeftover();
    },
    onStillLeft: (count) => log.warn('leftovers of builds still not removed', { count }),
    ...(metrics && { fetch: measuredFetch(metrics.onUpstream, fetchThrough(proxiesOf(config))) }),
  });
  const sandbox = await maker.ready();
  logSandbox(log, sandbox);
  metrics?.onSandbox?.(sandbox);

  const protection =
    config.ECS_AGENT_URI === undefined
      ? noTaskProtection
      : ecsTaskProtection({
          agentUri: config.ECS_AGENT_URI,
          minutes: Math.ceil((config.JOB_TIMEOUT + config.UPLOAD_TIMEOUT) / 60) + PROTECTION_SLACK_MINUTES,
          onError: (error) => log.warn('task could not be protected', { error }),
        });
  const now = () => new Date();
  const monotonic = () => performance.now();
  const recorder = recordStatistics({
    statistics: dynamoStatistics(dynamo, config.STATISTICS_TABLE, now),
    branches: () => config.BRANCHES,
    now,
    isCounting: config.SERVER_STATS,
    onError: (error) => log.warn('statistics could not be written', { error }),
  });
  const noteAbi = abiNoter(imagebuilderAbi(s3RecordStore(s3, config.ARTIFACT_BUCKET)), (error) =>
    log.warn('facts of an ImageBuilder could not be noted', { error }),
  );
  const onEvent = (event: RunEvent) => {
    logRunEvent(log, event);
    metrics?.onRunEvent(event);
    recorder.onRunEvent(event);
    if (event.type === 'done') noteAbi(event);
    if (event.type === 'started') protection.begin(event.build.hash);
    else if (event.type !== 'ignored' && ENDS.has(event.type)) protection.end(event.build.hash);
  };

  const outdated = dynamoOutdatedInputs(dynamo, config.BUILD_TABLE);
  const { ALIVE_FILE: aliveFile } = config;
  const touch = () => aliveFile && writeFile(aliveFile, '').catch((error: unknown) => log.warn('sign of life not written', { error }));
  await touch();
  const stopTouching = every(ALIVE_EVERY_MS, touch);

  await runWorkers(
    {
      builds: dynamoBuildTable(dynamo, config.BUILD_TABLE),
      queue: sqsBuildQueue(sqs, { queueUrl: config.BUILD_QUEUE_URL, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL }),
      // The role of a runner may only put objects. The sweeper, and in the end the bucket's lifecycle rule, removes
      // what lost attempts left behind.
      artifacts: { ...artifacts, remove: (key) => artifacts.remove(key).catch(() => 0) },
      imageMaker: maker,
      now,
      monotonic,
      newAttemptId: randomUUID,
      every,
      timesToLive: timesToLive(config),
      leaseSeconds: config.LEASE,
      uploadSeconds: config.UPLOAD_TIMEOUT,
      stepsEveryMs: STEPS_EVERY_MS,
      renewAfterSeconds: config.LEASE * RENEW_AFTER,
      onUpstreamChanged: ({ inputs }, foundAt) =>
        outdated.note(inputs, foundAt).catch((error) => log.warn('change of upstream could not be noted', { error })),
      onEvent,
      ...(metrics?.onSlots && { onSlots: metrics.onSlots }),
      onError: (error) => log.error('state could not be used', { error }),
      mustRetire: () => maker.mustRetire(),
    },
    config.WORKER_CONCURRENT,
    stop.signal,
  );
  stopTouching();
  await recorder.flush();
  log.info('runner stopped', { retired: maker.mustRetire() });
}

/** The events that end a build. Every started build ends with one of them. */
const ENDS: ReadonlySet<RunEvent['type']> = new Set(['done', 'failed', 'retrying', 'handed-back', 'lost'] satisfies RunEvent['type'][]);
