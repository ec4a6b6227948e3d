import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertBucketReady, assertQueueReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { httpPrepareService } from '#adapters/prepare-service/prepare-service.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { buildSubmitApp } from '#functions/build-submit/app.ts';
import { statusApp } from '#functions/status/app.ts';
import { storeApp } from '#functions/store/app.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { requestDeps } from '#http/request-deps.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { buildConfig } from './config.ts';
import { sharedCatalogue } from './shared-catalogue.ts';
import { type Service, startService } from './start-service.ts';

/** So much of what was counted in memory a `kill -9` can lose: counts of requests, never of builds. */
const FLUSH_STATISTICS_MS = 5_000;

/**
 * The build service: takes build requests. It tells of builds and serves images too, over the same state as the status service,
 * so that neither is missed while one of them is away.
 */
export async function startBuild(config = buildConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const now = () => new Date();
  const monotonic = () => performance.now();
  const { dynamo, sqs, s3 } = awsClients(config);
  const { BUILD_TABLE: table, ARTIFACT_BUCKET: bucket, BUILD_QUEUE_URL: queueUrl } = config;
  const ready = {
    table: () => assertTableReady(dynamo, table),
    queue: () => assertQueueReady(sqs, queueUrl),
    bucket: () => assertBucketReady(s3, bucket),
  };
  await Promise.all(Object.values(ready).map((check) => check()));

  const positions = dynamoQueuePositions(dynamo, table);
  const metrics = prometheusMetrics(config.SERVICE_NAME, positions);
  const catalogue = sharedCatalogue(config, { s3, log, metrics });
  const artifacts = s3ArtifactStore(s3, bucket);
  const state = {
    builds: dynamoBuildTable(dynamo, table),
    positions,
    artifacts,
    estimate: estimateSeconds(buildPace(s3RecordStore(s3, bucket), monotonic), config.MAX_RUNNERS),
    now,
    timeOf: timeOfBuilds(now, monotonic),
  };
  const recorder = recordStatistics({
    statistics: dynamoStatistics(dynamo, config.STATISTICS_TABLE, now),
    branches: () => config.BRANCHES,
    now,
    isCounting: config.SERVER_STATS,
    onError: (error) => log.warn('statistics could not be written', { error }),
  });
  const flushing = setInterval(() => void recorder.flush(), FLUSH_STATISTICS_MS);
  const askPrepare =
    config.PREPARE_SERVICE_URL === undefined
      ? undefined
      : httpPrepareService({
          url: config.PREPARE_SERVICE_URL,
          onError: (error) => log.warn('prepare service not used: packages resolved here', { error }),
        });
  return startService(config, {
    log,
    checks: ready,
    metrics,
    routes: [
      statusApp(state),
      buildSubmitApp({
        ...requestDeps(config),
        ...state,
        catalogue,
        askPrepare,
        queue: sqsBuildQueue(sqs, { queueUrl, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL }),
        maxPendingBuilds: () => config.MAX_PENDING_JOBS,
        rebuildPauseSeconds: () => config.REBUILD_PAUSE,
        onSubmitted: (submitted, client) => {
          metrics.onRequest(submitted.outcome);
          recorder.onSubmitted(submitted, client);
        },
        onRejected: (client) => {
          metrics.onRequest('rejected');
          recorder.onRejected(client);
        },
        onSendFailure: (error, build) => log.error('message could not be sent', { error, ...buildLogFields(build) }),
      }),
      storeApp({ artifacts, signingKey: config.SIGNING_KEY }),
    ],
    close: async () => {
      clearInterval(flushing);
      await recorder.flush();
    },
  });
}
