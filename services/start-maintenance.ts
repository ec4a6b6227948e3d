import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { composeMaintenance } from '#functions/maintenance/composition.ts';
import { maintain } from '#functions/maintenance/maintain.ts';
import { reconcileAndPublish } from '#functions/maintenance/run-maintenance.ts';
import { pause } from '#lib/pause.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { maintenanceConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/**
 * The interval at which the service publishes the catalogue and corrects counts. Sweeps have their own (`SWEEP_EVERY`).
 */
const RECONCILE_EVERY_MS = 60_000;

/**
 * Starts the maintenance service, a lasting process with the tasks that are scheduled on AWS. One is enough, and
 * several do no harm.
 */
export async function startMaintenance(config = maintenanceConfig()): Promise<Service> {
  const clients = awsClients(config);
  const positions = dynamoQueuePositions(clients.dynamo, config.BUILD_TABLE);
  const parts = { log: processLog(config.LOG_LEVEL, config.SERVICE_NAME), metrics: prometheusMetrics(config.SERVICE_NAME, positions) };
  const { checks, deps } = composeMaintenance(config, clients, parts, positions);
  const service = await startService(config, parts, { routes: [], checks });
  const stop = new AbortController();
  const reconciling = async () => {
    while (!stop.signal.aborted) {
      await reconcileAndPublish(deps);
      await pause(RECONCILE_EVERY_MS, stop.signal);
    }
  };
  const background = [maintain(deps, stop.signal, config.SWEEP_EVERY * 1000), reconciling()];
  return {
    ...service,
    close: async () => {
      stop.abort();
      await Promise.all([service.close(), ...background]);
    },
  };
}
