import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ARTIFACT_BUCKET, BUILD_QUEUE, BUILD_TABLE, DEAD_LETTER_QUEUE, STATISTICS_TABLE } from '#adapters/aws/resources.ts';

/** The resources of `adapters/aws/resources.ts`, as infra/ has SST make them, under names nobody else has unless one is given. */

export function freshTable(client: DynamoDBClient, name = `asu-builds-${randomUUID()}`): Promise<string> {
  const { sweepIndex } = BUILD_TABLE;
  return createTable(client, name, BUILD_TABLE, [
    {
      IndexName: sweepIndex.name,
      KeySchema: keySchema(sweepIndex.hashKey, sweepIndex.rangeKey),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...sweepIndex.projection] },
    },
  ]);
}

export const freshStatisticsTable = (client: DynamoDBClient, name = `asu-statistics-${randomUUID()}`): Promise<string> =>
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

export async function freshQueue(
  client: SQSClient,
  maxReceiveCount: number = BUILD_QUEUE.maxReceiveCount,
  name = `asu-builds-${randomUUID()}`,
): Promise<QueueUrls> {
  const deadLetterUrl = await createQueue(client, `${name}-dead`, {
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

export async function freshBucket(client: S3Client, Bucket = `asu-${randomUUID()}`): Promise<string> {
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
