import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type * as z from 'zod';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { reconcileLedger } from '#adapters/aws/queue/reconcile-ledger.ts';
import { assertBucketReady, assertQueueReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { rollUpStatistics } from '#adapters/aws/statistics/roll-up-statistics.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { leaseNotes } from '#core/build/lease-notes.ts';
import type { QueuePositions } from '#core/build/ports.ts';
import { sightings } from '#core/build/sightings.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import type { Checks } from '#http/checks.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { timesToLive } from '#settings/times-to-live.ts';
import { VERSION } from '#settings/version.ts';
import type { CompositionParts } from '../composition.ts';
import { sharedCatalogue } from '../shared-catalogue.ts';
import type { Config } from './config.ts';
import { learnPace } from './learn-pace.ts';
import { logMaintenance } from './log-maintenance.ts';
import type { RunMaintenanceDeps } from './run-maintenance.ts';

export interface MaintenanceComposition {
  readonly checks: Checks;
  readonly deps: RunMaintenanceDeps;
}

/** Maintenance: on AWS a scheduled run does it, elsewhere a process that lasts. */
export function composeMaintenance(
  config: z.output<typeof Config>,
  clients: { readonly dynamo: DynamoDBClient; readonly s3: S3Client; readonly sqs: SQSClient },
  parts: CompositionParts,
  positions: QueuePositions = dynamoQueuePositions(clients.dynamo, config.BUILD_TABLE),
): MaintenanceComposition {
  const { dynamo, s3, sqs } = clients;
  const { BUILD_TABLE: table, STATISTICS_TABLE: statisticsTable, BUILD_QUEUE_URL: queueUrl, ARTIFACT_BUCKET: bucket } = config;
  const now = () => new Date();
  const monotonic = () => performance.now();
  const builds = dynamoBuildTable(dynamo, table);
  const branches = () => config.BRANCHES;
  const statistics = dynamoStatistics(dynamo, statisticsTable, now);
  const report = dynamoStatisticsReport(dynamo, statisticsTable);
  const records = s3RecordStore(s3, bucket);
  const pace = buildPace(records, monotonic);
  const checkQueue = () => assertQueueReady(sqs, queueUrl);
  return {
    checks: {
      table: () => assertTableReady(dynamo, table, { withIndex: true }),
      statistics: () => assertTableReady(dynamo, statisticsTable, { definition: STATISTICS_TABLE }),
      queue: checkQueue,
      bucket: () => assertBucketReady(s3, bucket),
    },
    deps: {
      ...logMaintenance(parts),
      builds,
      sweep: dynamoBuildSweep(dynamo, table),
      reconcile: [
        // CloudWatch drops the metrics of a queue that no process has asked for six hours, and with them the alarm that
        // starts runners.
        checkQueue,
        () => reconcileLedger(dynamo, table, now),
        () => reconcileBuilds({ statistics, builds, branches, now }),
        () => rollUpStatistics(dynamo, statisticsTable, now),
        // Runners may not write the pace.
        () => learnPace({ report, pace, now }),
      ],
      isIdle: async () => (await positions.waiting()) === 0 && (await positions.running()) === 0,
      queue: sqsBuildQueue(sqs, { queueUrl, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL }),
      artifacts: s3ArtifactStore(s3, bucket),
      catalogue: sharedCatalogue(config, clients, parts),
      branches,
      upstreamUrl: config.UPSTREAM_URL,
      serverFacts: serverFacts(config, VERSION),
      timesToLive: timesToLive(config),
      sightings: sightings(monotonic),
      leaseNotes: leaseNotes({ records, now }),
      newSweepId: randomUUID,
      now,
    },
  };
}
