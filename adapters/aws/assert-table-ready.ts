import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { ResourceError } from './resource-error.ts';
import { BUILD_TABLE } from './resources.ts';

const NOBODY = { S: 'nobody' };

/** Throws a `ResourceError` unless the table can be read, and for a process that sweeps or counts, its index too. */
export async function assertTableReady(client: DynamoDBClient, table: string, { withIndex = false } = {}): Promise<void> {
  const { hashKey, rangeKey, sweepIndex } = BUILD_TABLE;
  try {
    await client.send(new GetItemCommand({ TableName: table, Key: { [hashKey]: NOBODY, [rangeKey]: NOBODY } }));
  } catch (error) {
    throw new ResourceError(`DynamoDB table ${table}`, error);
  }
  if (!withIndex) return;
  const query = new QueryCommand({
    TableName: table,
    IndexName: sweepIndex.name,
    Limit: 1,
    KeyConditionExpression: '#list = :list',
    ExpressionAttributeNames: { '#list': sweepIndex.hashKey },
    ExpressionAttributeValues: { ':list': NOBODY },
  });
  try {
    await client.send(query);
  } catch (error) {
    throw new ResourceError(`Index ${sweepIndex.name} of DynamoDB table ${table}`, error);
  }
}
