import { handle } from 'hono/aws-lambda';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import manifest from '../../package.json' with { type: 'json' };
import { storeApp } from './app.ts';
import { loadConfig } from './config.ts';
import { noArtifacts } from './no-artifacts.ts';

/** Asked for what the bucket does not have and for paths that nobody knows, which are 404 as JSON, and whether anybody is there. */
const config = loadConfig();
const metrics = emfMetrics({ service: 'store', namespace: config.METRICS_NAMESPACE });

export const handler = handle(
  httpApp(
    { log: processLog(config.LOG_LEVEL, 'store'), onAnswered: metrics.onAnswered },
    healthRoutes({ service: 'store', version: manifest.version, now: () => new Date(), checks: {} }),
    storeApp({ artifacts: noArtifacts, signingKey: config.SIGNING_KEY }),
  ),
);
