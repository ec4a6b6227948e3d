import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { prepareApp } from '#functions/prepare/app.ts';
import { requestDeps } from '#http/request-deps.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { prepareConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** Package resolution alone: no table, no queue, no bucket, no build tools. */
export async function startPrepare(config = prepareConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const metrics = prometheusMetrics(config.SERVICE_NAME);
  const catalogue = upstreamCatalogue({
    fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
    baseUrl: config.CATALOGUE_URL,
    records: memoryRecordStore(),
    now: () => new Date(),
    onError: (what, error) => log.warn('upstream could not be read', { what, error }),
  });
  return startService(config, {
    log,
    checks: { catalogue: () => catalogue.versions() },
    metrics,
    routes: [prepareApp({ catalogue, ...requestDeps(config) })],
  });
}
