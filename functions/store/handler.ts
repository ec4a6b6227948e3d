import { handle } from 'hono/aws-lambda';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { VERSION } from '#settings/version.ts';
import { composeStore } from './composition.ts';
import { loadConfig } from './config.ts';
import { noArtifacts } from './no-artifacts.ts';

/** Answers paths without a route with 404 as JSON, and `/health`. */
const config = loadConfig();
const metrics = emfMetrics({ service: 'store', namespace: config.METRICS_NAMESPACE });
const { routes } = composeStore(config, noArtifacts);
const health = healthRoutes({ service: 'store', version: VERSION, now: () => new Date(), checks: {} });

export const handler = handle(httpApp({ log: processLog(config.LOG_LEVEL, 'store'), onAnswered: metrics.onAnswered }, health, ...routes));
