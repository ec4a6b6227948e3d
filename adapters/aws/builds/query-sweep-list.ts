import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { withThrottledError } from '../clients/throttled.ts';
import { BUILD_TABLE } from '../resources.ts';
import type { Item } from './build-item.ts';
import type { SweepList } from './sweep-lists.ts';

export interface SweepQuery {
  /** Only entries due before. */
  readonly before?: Date;
  /** Only entries due after; not together with `before`. */
  readonly after?: Date;
  /** At most so many are needed. */
  readonly limit?: number;
}

/** Entries of the sweep index, earliest due first: keys and `ticket`. */
export async function querySweepList(
  client: DynamoDBClient,
  table: string,
  list: SweepList,
  { before, after, limit = Number.POSITIVE_INFINITY }: SweepQuery = {},
): Promise<Item[]> {
  const { name, hashKey, rangeKey } = BUILD_TABLE.sweepIndex;
  const bound = before ?? after;
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const query = new QueryCommand({
      TableName: table,
      IndexName: name,
      KeyConditionExpression: `#list = :list${bound ? ` AND #due ${before ? '<' : '>'} :bound` : ''}`,
      ...(Number.isFinite(limit) && { Limit: limit }),
      ExpressionAttributeNames: { '#list': hashKey, ...(bound && { '#due': rangeKey }) },
      ExpressionAttributeValues: { ':list': { S: list }, ...(bound && { ':bound': { S: bound.toISOString() } }) },
      ...(start && { ExclusiveStartKey: start }),
    });
    const { Items = [], LastEvaluatedKey } = await withThrottledError('build table', client.send(query));
    items.push(...Items);
    start = LastEvaluatedKey;
  } while (start !== undefined && items.length < limit);
  return items.length > limit ? items.slice(0, limit) : items;
}
