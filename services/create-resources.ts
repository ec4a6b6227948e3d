import { type DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { BucketAlreadyOwnedByYou, type S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { freshBucket, freshQueue, freshStatisticsTable, freshTable } from '#local-aws/create-resources.ts';
import type { ResourceNames } from './topology.ts';

export interface Clients {
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
}

/** Makes the services' resources in an empty state such as a new LocalStack's; what is there already stays as it is. */
export async function createResources({ dynamo, sqs, s3 }: Clients, names: ResourceNames): Promise<void> {
  await Promise.all([
    freshTable(dynamo, names.builds).catch(unlessThere),
    freshStatisticsTable(dynamo, names.statistics).catch(unlessThere),
    freshQueue(sqs, undefined, names.queue),
    freshBucket(s3, names.bucket).catch(unlessThere),
  ]);
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ResourceInUseException || error instanceof BucketAlreadyOwnedByYou)) throw error;
}
