import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { assertBucketReady, assertTableReady } from '#adapters/aws/readiness.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { statusApp } from '#functions/status/app.ts';
import { storeApp } from '#functions/store/app.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { awsClients } from './aws-clients.ts';
import { statusConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The status service: tells of builds and serves images; only reads. */
export async function startStatus(config = statusConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const now = () => new Date();
  const monotonic = () => performance.now();
  const { dynamo, s3 } = awsClients(config, S3_SERVING_CLIENT);
  const { BUILD_TABLE: table, ARTIFACT_BUCKET: bucket } = config;
  const ready = { table: () => assertTableReady(dynamo, table), bucket: () => assertBucketReady(s3, bucket) };
  await Promise.all(Object.values(ready).map((check) => check()));

  const positions = dynamoQueuePositions(dynamo, table);
  const artifacts = s3ArtifactStore(s3, bucket);
  return startService(config, {
    log,
    checks: ready,
    metrics: prometheusMetrics(config.SERVICE_NAME, positions),
    routes: [
      statusApp({
        builds: dynamoBuildTable(dynamo, table, { reads: 'eventual' }),
        positions,
        artifacts,
        estimate: estimateSeconds(buildPace(s3RecordStore(s3, bucket), monotonic), config.MAX_RUNNERS),
        now,
        timeOf: timeOfBuilds(now, monotonic),
      }),
      storeApp({ artifacts, signingKey: config.SIGNING_KEY }),
    ],
  });
}
