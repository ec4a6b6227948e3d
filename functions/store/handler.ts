import { handle } from 'hono/aws-lambda';
import { emfMetrics } from '#http/emf-metrics.ts';
import { httpApp } from '#http/http-app.ts';
import { processLog } from '#http/process-log.ts';
import { storeApp } from './app.ts';
import { loadConfig } from './config.ts';
import { noArtifacts } from './no-artifacts.ts';

/** Asked only for what the bucket does not have, and for paths that nobody knows: both are 404 as JSON. */
const config = loadConfig();
const metrics = emfMetrics({ service: 'store', namespace: config.METRICS_NAMESPACE });

export const handler = handle(
  httpApp(
    { log: processLog(config.LOG_LEVEL, 'store'), onAnswered: metrics.onAnswered },
    storeApp({ artifacts: noArtifacts, signingKey: config.SIGNING_KEY }),
  ),
);
