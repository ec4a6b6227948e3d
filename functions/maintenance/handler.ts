import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { DYNAMO_CLIENT, S3_CLIENT, SQS_CLIENT } from '#adapters/aws/clients/client-options.ts';
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
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { leaseNotes } from '#core/build/lease-notes.ts';
import { sightings } from '#core/build/sightings.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { processLog } from '#observe/process-log.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { timesToLive } from '#settings/times-to-live.ts';
import manifest from '../../package.json' with { type: 'json' };
import { loadConfig } from './config.ts';
import { learnPace } from './learn-pace.ts';
import { logMaintenance } from './log-maintenance.ts';
import { type RunMaintenanceDeps, runMaintenance } from './run-maintenance.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'maintenance');
const metrics = emfMetrics({ service: 'maintenance', namespace: config.METRICS_NAMESPACE });
const now = () => new Date();
const monotonic = () => performance.now();
const dynamo = new DynamoDBClient(DYNAMO_CLIENT);
const s3 = new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });
const sqs = new SQSClient(SQS_CLIENT);
const queue = { queueUrl: config.BUILD_QUEUE_URL, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL };

await Promise.all([
  assertTableReady(dynamo, config.BUILD_TABLE, { withIndex: true }),
  assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
  assertQueueReady(sqs, config.BUILD_QUEUE_URL),
  assertBucketReady(s3, config.ARTIFACT_BUCKET),
]);

const builds = dynamoBuildTable(dynamo, config.BUILD_TABLE);
const branches = () => config.BRANCHES;
const positions = dynamoQueuePositions(dynamo, config.BUILD_TABLE);
const statistics = dynamoStatistics(dynamo, config.STATISTICS_TABLE, now);
const records = s3RecordStore(s3, config.ARTIFACT_BUCKET);
const pace = buildPace(records, monotonic);

const logged = logMaintenance(log);
const deps: RunMaintenanceDeps = {
  ...logged,
  onSwept: (swept) => {
    logged.onSwept(swept);
    metrics.onSwept(swept);
  },
  builds,
  sweep: dynamoBuildSweep(dynamo, config.BUILD_TABLE),
  reconcile: [
    // CloudWatch lets the metrics of a queue go that nobody has asked for six hours, and with them the alarm that
    // starts runners.
    () => assertQueueReady(sqs, config.BUILD_QUEUE_URL),
    () => reconcileLedger(dynamo, config.BUILD_TABLE, now),
    () => reconcileBuilds({ statistics, builds, branches, now }),
    () => rollUpStatistics(dynamo, config.STATISTICS_TABLE, now),
    () => learnPace({ report: dynamoStatisticsReport(dynamo, config.STATISTICS_TABLE), pace, now }),
  ],
  isIdle: async () => (await positions.waiting()) === 0 && (await positions.running()) === 0,
  queue: sqsBuildQueue(sqs, queue),
  artifacts: s3ArtifactStore(s3, config.ARTIFACT_BUCKET),
  catalogue: upstreamCatalogue({
    fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
    baseUrl: config.UPSTREAM_URL,
    records,
    now,
    onError: (what, error) => log.warn('upstream could not be read', { what, error }),
  }),
  branches,
  upstreamUrl: config.UPSTREAM_URL,
  serverFacts: serverFacts(config, manifest.version),
  timesToLive: timesToLive(config),
  sightings: sightings(monotonic),
  leaseNotes: leaseNotes({ records, now }),
  newSweepId: randomUUID,
  now,
};

export const handler = (): Promise<void> => runMaintenance(deps, config.SWEEP_EVERY * 1000);
