import { S3Client } from '@aws-sdk/client-s3';
import { handle } from 'hono/aws-lambda';
import { S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { assertReady } from '#http/checks.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { composeCatalogue } from './composition.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'catalogue');
const metrics = emfMetrics({ service: 'catalogue', namespace: config.METRICS_NAMESPACE });
const s3 = new S3Client({ ...S3_SERVING_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });
const { routes, checks } = composeCatalogue(config, { s3 }, { log, metrics });
await assertReady(checks);

export const handler = handle(httpApp({ log, onAnswered: metrics.onAnswered }, ...routes));
