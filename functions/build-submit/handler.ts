import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { handle } from 'hono/aws-lambda';
import { ANSWERING_CLIENT, S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { assertReady, withoutDetails } from '#http/checks.ts';
import { flushed } from '#http/flushed.ts';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { VERSION } from '#settings/version.ts';
import { composeBuildSubmit } from './composition.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'build-submit');
const metrics = emfMetrics({ service: 'build-submit', namespace: config.METRICS_NAMESPACE });
const clients = {
  dynamo: new DynamoDBClient(ANSWERING_CLIENT),
  s3: new S3Client({ ...S3_SERVING_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE }),
  sqs: new SQSClient(ANSWERING_CLIENT),
};
const { routes, checks, flush } = composeBuildSubmit(config, clients, { log, metrics });
await assertReady(checks);

const health = healthRoutes({ service: 'build-submit', version: VERSION, now: () => new Date(), checks: withoutDetails(checks, log) });

const answer = handle(httpApp({ log, onAnswered: metrics.onAnswered }, health, ...routes));

export const handler = flushed(answer, flush);
