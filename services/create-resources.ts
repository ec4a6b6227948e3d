import {
  CreateTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BUILD_QUEUE, BUILD_TABLE, DEAD_LETTER_QUEUE, STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import type { ResourceNames } from './topology.ts';

export interface Clients {
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
}

/** Makes what `adapters/aws/resources.ts` describes in an empty state such as a new LocalStack's; what is there already stays. */
export async function createResources({ dynamo, sqs, s3 }: Clients, names: ResourceNames): Promise<void> {
  const { sweepIndex } = BUILD_TABLE;
  const index = {
    IndexName: sweepIndex.name,
    KeySchema: keySchema(sweepIndex.hashKey, sweepIndex.rangeKey),
    Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...sweepIndex.projection] },
  } satisfies GlobalSecondaryIndex;
  await Promise.all([
    createTable(dynamo, names.builds, BUILD_TABLE, [index]),
    createTable(dynamo, names.statistics, STATISTICS_TABLE),
    createQueues(sqs, names),
    s3.send(new CreateBucketCommand({ Bucket: names.bucket })).catch((error: unknown) => {
      if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
    }),
  ]);
}

async function createTable(
  client: DynamoDBClient,
  TableName: string,
  { hashKey, rangeKey, keyTypes }: typeof BUILD_TABLE | typeof STATISTICS_TABLE,
  indexes?: GlobalSecondaryIndex[],
): Promise<void> {
  const create = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: Object.entries(keyTypes).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: keySchema(hashKey, rangeKey),
    ...(indexes && { GlobalSecondaryIndexes: indexes }),
  });
  await client.send(create).catch((error: unknown) => {
    if (!(error instanceof ResourceInUseException)) throw error;
  });
  await waitUntilTableExists({ client, minDelay: 0.1, maxDelay: 1, maxWaitTime: 60 }, { TableName });
}

const keySchema = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  { AttributeName: range, KeyType: 'RANGE' as const },
];

async function createQueues(client: SQSClient, { queue, deadLetters }: ResourceNames): Promise<void> {
  const { QueueUrl } = await client.send(
    new CreateQueueCommand({ QueueName: deadLetters, Attributes: { MessageRetentionPeriod: String(DEAD_LETTER_QUEUE.retentionSeconds) } }),
  );
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await client.send(
    new CreateQueueCommand({
      QueueName: queue,
      Attributes: {
        VisibilityTimeout: String(BUILD_QUEUE.visibilityTimeoutSeconds),
        ReceiveMessageWaitTimeSeconds: String(BUILD_QUEUE.receiveWaitSeconds),
        MessageRetentionPeriod: String(BUILD_QUEUE.retentionSeconds),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: BUILD_QUEUE.maxReceiveCount }),
      },
    }),
  );
}
