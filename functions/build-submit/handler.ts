import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { handle } from 'hono/aws-lambda';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { assertBucketReady } from '#adapters/aws/assert-bucket-ready.ts';
import { assertQueueReady } from '#adapters/aws/assert-queue-ready.ts';
import { assertTableReady } from '#adapters/aws/assert-table-ready.ts';
import { sqsBuildQueue } from '#adapters/aws/build-queue.ts';
import { dynamoBuildTable } from '#adapters/aws/build-table.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue-positions.ts';
import { s3RecordStore } from '#adapters/aws/record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { buildPace } from '#core/build-pace.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { httpApp } from '#http/http-app.ts';
import { processLog } from '#http/process-log.ts';
import { requestDeps } from '#http/request-deps.ts';
import { buildSubmitApp } from './app.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'build-submit');
const now = () => new Date();
const dynamo = new DynamoDBClient();
const s3 = new S3Client({ forcePathStyle: config.S3_FORCE_PATH_STYLE });
const sqs = new SQSClient();
const queue = { queueUrl: config.BUILD_QUEUE_URL, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL };
const records = s3RecordStore(s3, config.ARTIFACT_BUCKET);

await Promise.all([
  assertTableReady(dynamo, config.BUILD_TABLE),
  assertQueueReady(sqs, config.BUILD_QUEUE_URL),
  assertBucketReady(s3, config.ARTIFACT_BUCKET),
]);

export const handler = handle(
  httpApp(
    { log },
    buildSubmitApp({
      ...requestDeps(config),
      catalogue: upstreamCatalogue({
        baseUrl: config.UPSTREAM_URL,
        records,
        now,
        onFailure: (what, error) => log.warn('upstream could not be read', { what, error }),
      }),
      builds: dynamoBuildTable(dynamo, config.BUILD_TABLE),
      positions: dynamoQueuePositions(dynamo, config.BUILD_TABLE),
      artifacts: s3ArtifactStore(s3, config.ARTIFACT_BUCKET),
      queue: sqsBuildQueue(sqs, queue),
      maxPendingBuilds: () => config.MAX_PENDING_JOBS,
      estimate: estimateSeconds(buildPace(records, now), config.MAX_RUNNERS),
      now,
      onSendFailure: (error, { hash }) => log.error('message could not be sent', { error, request_hash: hash }),
    }),
  ),
);
