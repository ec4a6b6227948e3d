import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BUILD_TABLE, type STATISTICS_TABLE } from './resources.ts';

/**
 * The failure of a process that needs a resource which is missing, or which it may not use. It names the resource; the
 * process does not start.
 */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
  constructor(resource: string, cause: unknown) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`${resource} cannot be used: ${reason}`, { cause });
  }
}

/** A key that no item has. */
const ABSENT = { S: 'nobody' };

export interface TableReadyOptions {
  readonly definition?: typeof BUILD_TABLE | typeof STATISTICS_TABLE;
  /** Whether to check the index too, for a process that sweeps or counts. */
  readonly withIndex?: boolean;
}

/** Throws a `ResourceError` unless the table exists, has the keys that it should have, and may be read. */
export async function assertTableReady(
  client: DynamoDBClient,
  table: string,
  { definition = BUILD_TABLE, withIndex = false }: TableReadyOptions = {},
): Promise<void> {
  const { hashKey, rangeKey } = definition;
  try {
    await client.send(new GetItemCommand({ TableName: table, Key: { [hashKey]: ABSENT, [rangeKey]: ABSENT } }));
  } catch (error) {
    throw new ResourceError(`DynamoDB table ${table}`, error);
  }
  if (!withIndex) return;
  const { sweepIndex } = BUILD_TABLE;
  const query = new QueryCommand({
    TableName: table,
    IndexName: sweepIndex.name,
    Limit: 1,
    KeyConditionExpression: '#list = :list',
    ExpressionAttributeNames: { '#list': sweepIndex.hashKey },
    ExpressionAttributeValues: { ':list': ABSENT },
  });
  try {
    await client.send(query);
  } catch (error) {
    throw new ResourceError(`Index ${sweepIndex.name} of DynamoDB table ${table}`, error);
  }
}

/** Throws a `ResourceError` unless the queue exists and may be used. */
export async function assertQueueReady(client: SQSClient, queueUrl: string): Promise<void> {
  try {
    await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }));
  } catch (error) {
    throw new ResourceError(`SQS queue ${queueUrl}`, error);
  }
}

/** Throws a `ResourceError` unless the bucket exists and may be used. */
export async function assertBucketReady(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    throw new ResourceError(`S3 bucket ${bucket}`, error);
  }
}
