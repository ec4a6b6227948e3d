import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertBucketReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import type { QueuePositions } from '#core/build/ports.ts';
import { type OfferConfig, serverFacts } from '#settings/server-facts.ts';
import { VERSION } from '#settings/version.ts';
import type { Composition, CompositionParts } from '../composition.ts';
import { type SharedCatalogueConfig, sharedCatalogue } from '../shared-catalogue.ts';
import { statsApp } from './app.ts';

export interface StatsConfig extends SharedCatalogueConfig, OfferConfig {
  readonly BUILD_TABLE: string;
  readonly STATISTICS_TABLE: string;
}

/**
 * The statistics function: figures, charts, and the two plain pages. A service shows the same queue positions as
 * metrics.
 */
export function composeStats(
  config: StatsConfig,
  clients: { readonly dynamo: DynamoDBClient; readonly s3: S3Client },
  parts: CompositionParts,
  positions: QueuePositions = dynamoQueuePositions(clients.dynamo, config.BUILD_TABLE),
): Composition {
  const { dynamo, s3 } = clients;
  const facts = serverFacts(config, VERSION);
  return {
    routes: [
      statsApp({
        report: dynamoStatisticsReport(dynamo, config.STATISTICS_TABLE),
        positions,
        catalogue: sharedCatalogue(config, clients, parts),
        branches: () => config.BRANCHES,
        upstreamUrl: config.UPSTREAM_URL,
        serverFacts: () => facts,
        now: () => new Date(),
      }),
    ],
    checks: {
      // The builds that run are counted by the index.
      table: () => assertTableReady(dynamo, config.BUILD_TABLE, { withIndex: true }),
      statistics: () => assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
      bucket: () => assertBucketReady(s3, config.ARTIFACT_BUCKET),
    },
  };
}
