import { randomUUID } from 'node:crypto';
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
import { leaseNotes } from '#core/build/lease-notes.ts';
import { sightings } from '#core/build/sightings.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import { logMaintenance } from '#functions/maintenance/log-maintenance.ts';
import { maintain } from '#functions/maintenance/maintain.ts';
import { publishCatalogue } from '#functions/maintenance/publish-catalogue.ts';
import { pause } from '#lib/pause.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { serverFacts } from '#settings/server-facts.ts';
import { timesToLive } from '#settings/times-to-live.ts';
import { VERSION } from '#settings/version.ts';
import { awsClients } from './aws-clients.ts';
import { maintenanceConfig } from './config.ts';
import { sharedCatalogue } from './shared-catalogue.ts';
import { type Service, startService } from './start-service.ts';

/** How often the catalogue is published and counts are put right; sweeps have a pace of their own. */
const PUBLISH_EVERY_MS = 60_000;

/** The maintenance service: what is scheduled on AWS, as a process that lasts. Any number of them do no harm, one is enough. */
export async function startMaintenance(config = maintenanceConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const now = () => new Date();
  const { dynamo, sqs, s3 } = awsClients(config);
  const { BUILD_TABLE: table, ARTIFACT_BUCKET: bucket, BUILD_QUEUE_URL: queueUrl } = config;
  const ready = {
    table: () => assertTableReady(dynamo, table, { withIndex: true }),
    statistics: () => assertTableReady(dynamo, config.STATISTICS_TABLE, { definition: STATISTICS_TABLE }),
    queue: () => assertQueueReady(sqs, queueUrl),
    bucket: () => assertBucketReady(s3, bucket),
  };
  await Promise.all(Object.values(ready).map((check) => check()));

  const metrics = prometheusMetrics(config.SERVICE_NAME, dynamoQueuePositions(dynamo, table));
  const builds = dynamoBuildTable(dynamo, table);
  const branches = () => config.BRANCHES;
  const onEvents = logMaintenance(log);
  const shared = {
    ...onEvents,
    builds,
    sweep: dynamoBuildSweep(dynamo, table),
    queue: sqsBuildQueue(sqs, { queueUrl, deadLetterUrl: config.DEAD_LETTER_QUEUE_URL }),
    artifacts: s3ArtifactStore(s3, bucket),
    timesToLive: timesToLive(config),
    sightings: sightings(() => performance.now()),
    leaseNotes: leaseNotes({ records: s3RecordStore(s3, bucket), now }),
    newSweepId: randomUUID,
    now,
  };
  const publish = {
    catalogue: sharedCatalogue(config, { s3, log, metrics }),
    artifacts: shared.artifacts,
    branches: config.BRANCHES,
    upstreamUrl: config.UPSTREAM_URL,
    serverFacts: serverFacts(config, VERSION),
  };
  const statistics = dynamoStatistics(dynamo, config.STATISTICS_TABLE, now);
  const reconciliations = [
    () => reconcileLedger(dynamo, table, now),
    () => reconcileBuilds({ statistics, builds, branches, now }),
    () => rollUpStatistics(dynamo, config.STATISTICS_TABLE, now),
  ];
  const stop = new AbortController();
  const everyMinute = async () => {
    while (!stop.signal.aborted) {
      for (const reconcile of reconciliations) await reconcile().catch(onEvents.onError);
      await publishCatalogue(publish).then(onEvents.onPublished, onEvents.onError);
      await pause(PUBLISH_EVERY_MS, stop.signal);
    }
  };
  const service = await startService(config, { log, checks: ready, metrics, routes: [] });
  const background = [maintain(shared, stop.signal), everyMinute()];
  return {
    ...service,
    close: async () => {
      stop.abort();
      await Promise.all([service.close(), ...background]);
    },
  };
}
