import { handle } from 'hono/aws-lambda';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { httpApp } from '#http/http-app.ts';
import { requestDeps } from '#http/request-deps.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { processLog } from '#observe/process-log.ts';
import { prepareApp } from './app.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'prepare');
const metrics = emfMetrics({ service: 'prepare', namespace: config.METRICS_NAMESPACE });
const catalogue = upstreamCatalogue({
  fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
  baseUrl: config.CATALOGUE_URL,
  records: memoryRecordStore(),
  now: () => new Date(),
  onError: (what, error) => log.warn('upstream could not be read', { what, error }),
});

export const handler = handle(httpApp({ log, onAnswered: metrics.onAnswered }, prepareApp({ catalogue, ...requestDeps(config) })));
