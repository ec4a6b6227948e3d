import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { composeStats } from '#functions/stats/composition.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { statsConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The statistics service: figures about requests and builds, and the two plain pages. */
export async function startStats(config = statsConfig()): Promise<Service> {
  const clients = awsClients(config);
  const positions = dynamoQueuePositions(clients.dynamo, config.BUILD_TABLE);
  const parts = { log: processLog(config.LOG_LEVEL, config.SERVICE_NAME), metrics: prometheusMetrics(config.SERVICE_NAME, positions) };
  return startService(config, parts, composeStats(config, clients, parts, positions));
}
