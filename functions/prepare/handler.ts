import { handle } from 'hono/aws-lambda';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { composePrepare } from './composition.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'prepare');
const metrics = emfMetrics({ service: 'prepare', namespace: config.METRICS_NAMESPACE });
const { routes } = composePrepare(config, { log, metrics });

export const handler = handle(httpApp({ log, onAnswered: metrics.onAnswered }, ...routes));
