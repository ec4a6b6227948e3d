import { handle } from 'hono/aws-lambda';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { composeDocs } from './composition.ts';
import { loadConfig } from './config.ts';
import { swaggerAssets } from './swagger-assets.ts';

const config = loadConfig();
const metrics = emfMetrics({ service: 'docs', namespace: config.METRICS_NAMESPACE });
// The files lie beside the bundle, where `bundles/bundle-functions.ts` puts them.
const { routes } = composeDocs(swaggerAssets((name) => new URL(name, import.meta.url).href));

export const handler = handle(httpApp({ log: processLog(config.LOG_LEVEL, 'docs'), onAnswered: metrics.onAnswered }, ...routes));
