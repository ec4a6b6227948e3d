import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { buildPace } from '#core/build/build-pace.ts';
import type { BuildStatusDeps } from '#core/build/build-status.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import type { EstimateSeconds } from '#http/build-response.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';

export interface BuildStateConfig {
  readonly BUILD_TABLE: string;
  readonly ARTIFACT_BUCKET: string;
  readonly MAX_RUNNERS: number;
  readonly REBUILD_PAUSE: number;
}

export interface BuildStateClients {
  readonly dynamo: DynamoDBClient;
  readonly s3: S3Client;
}

/** The state of builds and what is answered about it, on which POST and GET have to agree. */
export type BuildState = BuildStatusDeps & { readonly estimate: EstimateSeconds };

/** The state of builds in DynamoDB and S3. With `eventual`, reads of rows cost half and may be a moment behind. */
export function buildState(config: BuildStateConfig, { dynamo, s3 }: BuildStateClients, reads: 'strong' | 'eventual'): BuildState {
  const now = () => new Date();
  const monotonic = () => performance.now();
  return {
    builds: dynamoBuildTable(dynamo, config.BUILD_TABLE, { reads }),
    positions: dynamoQueuePositions(dynamo, config.BUILD_TABLE),
    artifacts: s3ArtifactStore(s3, config.ARTIFACT_BUCKET),
    estimate: estimateSeconds(buildPace(s3RecordStore(s3, config.ARTIFACT_BUCKET), monotonic), config.MAX_RUNNERS),
    now,
    timeOf: timeOfBuilds(now, monotonic),
    rebuildPauseSeconds: () => config.REBUILD_PAUSE,
  };
}
