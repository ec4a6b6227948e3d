import { handle } from 'hono/aws-lambda';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { docsApp } from './app.ts';
import { loadConfig } from './config.ts';
import { swaggerAssets } from './swagger-assets.ts';

const config = loadConfig();
const metrics = emfMetrics({ service: 'docs', namespace: config.METRICS_NAMESPACE });

export const handler = handle(
  httpApp(
    { log: processLog(config.LOG_LEVEL, 'docs'), onAnswered: metrics.onAnswered },
    // Beside the bundle, where `bundles/bundle-functions.ts` puts them.
    docsApp({ readAsset: swaggerAssets((name) => new URL(name, import.meta.url).href) }),
  ),
);
