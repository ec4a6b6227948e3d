import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { handle } from 'hono/aws-lambda';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { DYNAMO_CLIENT, S3_CLIENT, SQS_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertBucketReady, assertQueueReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { httpPrepareService } from '#adapters/prepare-service/prepare-service.ts';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { flushed } from '#http/flushed.ts';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { requestDeps } from '#http/request-deps.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { processLog } from '#observe/process-log.ts';
import manifest from '../../package.json' with { type: 'json' };
import { buildSubmitApp } from './app.ts';
import { loadConfig } from './config.ts';
import { withoutDetails } from './without-details.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'build-submit');
const metrics = emfMetrics({ service: 'build-submit', namespace: config.METRICS_NAMESPACE });
const now = () => new Date();
const monotonic = () => performance.now();
const dynamo = new DynamoDBClient(DYNAMO_CLIENT);
const s3 = new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });
const sqs = new SQSClient(SQS_CLIENT);
const queue = { queueUrl: config.BUILD_QUEUE_URL, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL };
const records = s3RecordStore(s3, config.ARTIFACT_BUCKET);
const recorder = recordStatistics({
  statistics: dynamoStatistics(dynamo, config.STATISTICS_TABLE, now),
  branches: () => config.BRANCHES,
  now,
  isCounting: config.SERVER_STATS,
  onError: (error) => log.warn('statistics could not be written', { error }),
});

const checks = {
  table: () => assertTableReady(dynamo, config.BUILD_TABLE),
  statistics: () => assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
  queue: () => assertQueueReady(sqs, config.BUILD_QUEUE_URL),
  bucket: () => assertBucketReady(s3, config.ARTIFACT_BUCKET),
};

await Promise.all(Object.values(checks).map((check) => check()));

const askPrepare =
  config.PREPARE_SERVICE_URL &&
  httpPrepareService({
    url: config.PREPARE_SERVICE_URL,
    onError: (error) => log.warn('prepare service not used: packages resolved here', { error }),
  });

const answer = handle(
  httpApp(
    { log, onAnswered: metrics.onAnswered },
    healthRoutes({
      service: 'build-submit',
      version: manifest.version,
      now,
      checks: withoutDetails(checks, (what, error) => log.error('not ready', { what, error })),
    }),
    buildSubmitApp({
      ...requestDeps(config),
      catalogue: upstreamCatalogue({
        fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
        baseUrl: config.UPSTREAM_URL,
        records,
        now,
        onError: (what, error) => log.warn('upstream could not be read', { what, error }),
      }),
      builds: dynamoBuildTable(dynamo, config.BUILD_TABLE),
      positions: dynamoQueuePositions(dynamo, config.BUILD_TABLE),
      artifacts: s3ArtifactStore(s3, config.ARTIFACT_BUCKET),
      queue: sqsBuildQueue(sqs, queue),
      ...(askPrepare && { askPrepare }),
      maxPendingBuilds: () => config.MAX_PENDING_JOBS,
      rebuildPauseSeconds: () => config.REBUILD_PAUSE,
      estimate: estimateSeconds(buildPace(records, monotonic), config.MAX_RUNNERS),
      now,
      timeOf: timeOfBuilds(now, monotonic),
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
  ),
);

export const handler = flushed(answer, recorder.flush);
