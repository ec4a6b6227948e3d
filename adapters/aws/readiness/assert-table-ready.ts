import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { BUILD_TABLE, type STATISTICS_TABLE } from '../resources.ts';
import { ResourceError } from './resource-error.ts';

const NOBODY = { S: 'nobody' };

export interface TableReadyOptions {
  readonly definition?: typeof BUILD_TABLE | typeof STATISTICS_TABLE;
  /** For a process that sweeps or counts: its role must reach the index too. */
  readonly withIndex?: boolean;
}

/** Throws a `ResourceError` unless the table is there, has the keys it should have, and may be read. */
export async function assertTableReady(
  client: DynamoDBClient,
  table: string,
  { definition = BUILD_TABLE, withIndex = false }: TableReadyOptions = {},
): Promise<void> {
  const { hashKey, rangeKey } = definition;
  try {
    await client.send(new GetItemCommand({ TableName: table, Key: { [hashKey]: NOBODY, [rangeKey]: NOBODY } }));
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
    ExpressionAttributeValues: { ':list': NOBODY },
  });
  try {
    await client.send(query);
  } catch (error) {
    throw new ResourceError(`Index ${sweepIndex.name} of DynamoDB table ${table}`, error);
  }
}
