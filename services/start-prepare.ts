import { composePrepare } from '#functions/prepare/composition.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { prepareConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The prepare service: it resolves packages, without a table, queue, bucket or build tools. */
export async function startPrepare(config = prepareConfig()): Promise<Service> {
  const parts = { log: processLog(config.LOG_LEVEL, config.SERVICE_NAME), metrics: prometheusMetrics(config.SERVICE_NAME) };
  return startService(config, parts, composePrepare(config, parts));
}
