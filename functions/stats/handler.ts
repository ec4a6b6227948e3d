import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { handle } from 'hono/aws-lambda';
import { ANSWERING_CLIENT, S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { assertReady } from '#http/checks.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { composeStats } from './composition.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'stats');
const metrics = emfMetrics({ service: 'stats', namespace: config.METRICS_NAMESPACE });
const clients = {
  dynamo: new DynamoDBClient(ANSWERING_CLIENT),
  s3: new S3Client({ ...S3_SERVING_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE }),
};
const { routes, checks } = composeStats(config, clients, { log, metrics });
await assertReady(checks);

export const handler = handle(httpApp({ log, onAnswered: metrics.onAnswered }, ...routes));
