import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import { statsApp } from '#functions/stats/app.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { VERSION } from '#settings/version.ts';
import { awsClients } from './aws-clients.ts';
import { statsConfig } from './config.ts';
import { sharedCatalogue } from './shared-catalogue.ts';
import { type Service, startService } from './start-service.ts';

/** The statistics service: what was asked for and what was built, and the two plain pages. */
export async function startStats(config = statsConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const { dynamo, s3 } = awsClients(config);
  const ready = {
    table: () => assertTableReady(dynamo, config.BUILD_TABLE),
    statistics: () => assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
  };
  await Promise.all(Object.values(ready).map((check) => check()));

  const positions = dynamoQueuePositions(dynamo, config.BUILD_TABLE);
  const metrics = prometheusMetrics(config.SERVICE_NAME, positions);
  const facts = serverFacts(config, VERSION);
  return startService(config, {
    log,
    checks: ready,
    metrics,
    routes: [
      statsApp({
        report: dynamoStatisticsReport(dynamo, config.STATISTICS_TABLE),
        positions,
        catalogue: sharedCatalogue(config, { s3, log, metrics }),
        branches: () => config.BRANCHES,
        upstreamUrl: config.UPSTREAM_URL,
        serverFacts: () => facts,
        now: () => new Date(),
      }),
    ],
  });
}
