import {
  CreateTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, PutBucketLifecycleConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ARTIFACT_BUCKET, BUILD_QUEUE, BUILD_TABLE, DEAD_LETTER_QUEUE, STATISTICS_TABLE } from '#adapters/aws/resources.ts';

import { deadLetterName, type ResourceNames, uniqueNames } from './aws-resources.ts';

export interface ResourceClients {
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
}

/**
 * Creates the resources that `adapters/aws/resources.ts` defines, as SST creates them from infra/. It leaves a resource
 * that already exists as it is.
 */
export async function createResources({ dynamo, sqs, s3 }: ResourceClients, names: ResourceNames): Promise<void> {
  await Promise.all([
    createBuildTable(dynamo, names.builds).catch(ignoreExisting),
    createStatisticsTable(dynamo, names.statistics).catch(ignoreExisting),
    createBuildQueue(sqs, { name: names.queue }),
    createBucket(s3, names.bucket).catch(ignoreExisting),
  ]);
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ResourceInUseException || error instanceof BucketAlreadyOwnedByYou)) throw error;
}

export function createBuildTable(client: DynamoDBClient, name = uniqueNames().builds): Promise<string> {
  const { sweepIndex } = BUILD_TABLE;
  return createTable(client, name, BUILD_TABLE, [
    {
      IndexName: sweepIndex.name,
      KeySchema: keySchema(sweepIndex.hashKey, sweepIndex.rangeKey),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...sweepIndex.projection] },
    },
  ]);
}

export const createStatisticsTable = (client: DynamoDBClient, name = uniqueNames().statistics): Promise<string> =>
  createTable(client, name, STATISTICS_TABLE);

async function createTable(
  client: DynamoDBClient,
  TableName: string,
  { hashKey, rangeKey, keyTypes, ttlAttribute }: typeof BUILD_TABLE | typeof STATISTICS_TABLE,
  indexes?: GlobalSecondaryIndex[],
): Promise<string> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: Object.entries(keyTypes).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
      KeySchema: keySchema(hashKey, rangeKey),
      ...(indexes && { GlobalSecondaryIndexes: indexes }),
    }),
  );
  await waitUntilTableExists({ client, minDelay: 0.1, maxDelay: 1, maxWaitTime: 60 }, { TableName });
  const TimeToLiveSpecification = { AttributeName: ttlAttribute, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  return TableName;
}

const keySchema = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  { AttributeName: range, KeyType: 'RANGE' as const },
];

export interface QueueUrls {
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

interface QueueOptions {
  readonly name?: string;
  readonly maxReceiveCount?: number;
}

export async function createBuildQueue(client: SQSClient, options: QueueOptions = {}): Promise<QueueUrls> {
  const { name = uniqueNames().queue, maxReceiveCount = BUILD_QUEUE.maxReceiveCount } = options;
  const deadLetterUrl = await createQueue(client, deadLetterName(name), {
    MessageRetentionPeriod: String(DEAD_LETTER_QUEUE.retentionSeconds),
  });
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }));
  const queueUrl = await createQueue(client, name, {
    VisibilityTimeout: String(BUILD_QUEUE.visibilityTimeoutSeconds),
    ReceiveMessageWaitTimeSeconds: String(BUILD_QUEUE.receiveWaitSeconds),
    MessageRetentionPeriod: String(BUILD_QUEUE.retentionSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount }),
  });
  return { queueUrl, deadLetterUrl };
}

async function createQueue(client: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<string> {
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  if (QueueUrl === undefined) throw new Error(`No URL for queue ${QueueName}`);
  return QueueUrl;
}

export async function createBucket(client: S3Client, Bucket = uniqueNames().bucket): Promise<string> {
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: {
        Rules: [
          {
            ID: 'incomplete-uploads',
            Status: 'Enabled',
            Filter: { Prefix: '' },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: ARTIFACT_BUCKET.abortIncompleteUploadsAfterDays },
          },
        ],
      },
    }),
  );
  return Bucket;
}
