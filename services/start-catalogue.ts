import { assertBucketReady } from '#adapters/aws/readiness.ts';
import { catalogueApp } from '#functions/catalogue/app.ts';
import { docsApp } from '#functions/docs/app.ts';
import { swaggerAssets } from '#functions/docs/swagger-assets.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { VERSION } from '#settings/version.ts';
import { awsClients } from './aws-clients.ts';
import { catalogueConfig } from './config.ts';
import { sharedCatalogue } from './shared-catalogue.ts';
import { type Service, startService } from './start-service.ts';

/** The catalogue service: versions, targets, profiles, packages, and the API's description. */
export async function startCatalogue(config = catalogueConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const { s3 } = awsClients(config);
  const ready = () => assertBucketReady(s3, config.ARTIFACT_BUCKET);
  await ready();

  const facts = serverFacts(config, VERSION);
  const metrics = prometheusMetrics(config.SERVICE_NAME);
  const catalogue = sharedCatalogue(config, { s3, log, metrics });
  return startService(config, {
    log,
    checks: { bucket: ready, upstream: () => catalogue.versions() },
    metrics,
    routes: [
      catalogueApp({
        catalogue,
        upstreamUrl: config.UPSTREAM_URL,
        branches: () => config.BRANCHES,
        serverFacts: () => facts,
      }),
      docsApp({ readAsset: swaggerAssets() }),
    ],
  });
}
