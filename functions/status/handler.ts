import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { handle } from 'hono/aws-lambda';
import { ANSWERING_CLIENT, S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { imageFinder } from '#core/build/find-image.ts';
import { assertReady } from '#http/checks.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { buildState } from '../build-state.ts';
import { composeStore } from '../store/composition.ts';
import { noArtifacts } from '../store/no-artifacts.ts';
import { composeStatus } from './composition.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const metrics = emfMetrics({ service: 'status', namespace: config.METRICS_NAMESPACE });
const clients = {
  dynamo: new DynamoDBClient(ANSWERING_CLIENT),
  s3: new S3Client({ ...S3_SERVING_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE }),
};
const state = buildState(config, clients, 'eventual');
const { routes, checks } = composeStatus(config, clients, state);
// The bucket serves the images: a request for one comes here only if the bucket does not have it.
const { routes: redirects } = composeStore({}, noArtifacts, imageFinder(state));
await assertReady(checks);

export const handler = handle(
  httpApp({ log: processLog(config.LOG_LEVEL, 'status'), onAnswered: metrics.onAnswered }, ...routes, ...redirects),
);
