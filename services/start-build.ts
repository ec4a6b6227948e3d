import { imageFinder } from '#core/build/find-image.ts';
import { buildState } from '#functions/build-state.ts';
import { composeBuildSubmit } from '#functions/build-submit/composition.ts';
import { composeStatus } from '#functions/status/composition.ts';
import { composeStore } from '#functions/store/composition.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { buildConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/**
 * The build service, which takes build requests. It also tells about builds and serves images, so that clients do not
 * miss the status service while it is away.
 */
export async function startBuild(config = buildConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const clients = awsClients(config);
  const state = buildState(config, clients, 'strong');
  const metrics = prometheusMetrics(config.SERVICE_NAME, state.positions);
  const parts = { log, metrics };
  return startService(
    config,
    parts,
    // The function that takes requests checks the same table and bucket.
    { ...composeStatus(config, clients, state), checks: {} },
    composeBuildSubmit(config, clients, parts, state),
    composeStore(config, state.artifacts, imageFinder(state)),
  );
}
