import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { handle } from 'hono/aws-lambda';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { DYNAMO_CLIENT, S3_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertBucketReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { statusApp } from './app.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const metrics = emfMetrics({ service: 'status', namespace: config.METRICS_NAMESPACE });
const now = () => new Date();
const monotonic = () => performance.now();
const dynamo = new DynamoDBClient(DYNAMO_CLIENT);
const s3 = new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });

await Promise.all([assertTableReady(dynamo, config.BUILD_TABLE), assertBucketReady(s3, config.ARTIFACT_BUCKET)]);

export const handler = handle(
  httpApp(
    { log: processLog(config.LOG_LEVEL, 'status'), onAnswered: metrics.onAnswered },
    statusApp({
      builds: dynamoBuildTable(dynamo, config.BUILD_TABLE, { reads: 'eventual' }),
      positions: dynamoQueuePositions(dynamo, config.BUILD_TABLE),
      artifacts: s3ArtifactStore(s3, config.ARTIFACT_BUCKET),
      estimate: estimateSeconds(buildPace(s3RecordStore(s3, config.ARTIFACT_BUCKET), monotonic), config.MAX_RUNNERS),
      now,
      timeOf: timeOfBuilds(now, monotonic),
    }),
  ),
);
