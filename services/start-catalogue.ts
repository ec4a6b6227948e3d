import { composeCatalogue } from '#functions/catalogue/composition.ts';
import { composeDocs } from '#functions/docs/composition.ts';
import { swaggerAssets } from '#functions/docs/swagger-assets.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { catalogueConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The catalogue service: versions, targets, profiles, packages, and the API's description. */
export async function startCatalogue(config = catalogueConfig()): Promise<Service> {
  const parts = { log: processLog(config.LOG_LEVEL, config.SERVICE_NAME), metrics: prometheusMetrics(config.SERVICE_NAME) };
  return startService(config, parts, composeCatalogue(config, awsClients(config), parts), composeDocs(swaggerAssets()));
}
