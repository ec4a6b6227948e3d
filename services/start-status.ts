import { imageFinder } from '#core/build/find-image.ts';
import { buildState } from '#functions/build-state.ts';
import { composeStatus } from '#functions/status/composition.ts';
import { composeStore } from '#functions/store/composition.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { statusConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The status service: it tells about builds and serves images, and only reads. */
export async function startStatus(config = statusConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const clients = awsClients(config);
  const state = buildState(config, clients, 'eventual');
  const metrics = prometheusMetrics(config.SERVICE_NAME, state.positions);
  return startService(
    config,
    { log, metrics },
    composeStatus(config, clients, state),
    composeStore(config, state.artifacts, imageFinder(state)),
  );
}
