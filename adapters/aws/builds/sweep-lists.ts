import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Build } from '#core/build/build.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_TABLE } from '../resources.ts';
import type { Item } from './build-item.ts';

/** The lists of the sweep index. */
export type SweepList = 'queued' | 'building' | 'expiring' | 'ended';

/** The attributes that a row has besides those of its build. */
export const INDEX_ATTRIBUTES: readonly string[] = [
  BUILD_TABLE.sweepIndex.hashKey,
  BUILD_TABLE.sweepIndex.rangeKey,
  BUILD_TABLE.ttlAttribute,
];

/** How long after the sweep should have removed a row DynamoDB removes it: a week. */
const BACKSTOP_SECONDS = 7 * 86_400;

/**
 * Returns the attributes that place a build in the sweep index, and the time when DynamoDB may delete it. They do not
 * change with a build's step or heartbeat: the index does not have the end of a lease. `leased` reads the rows of all
 * builds that are in progress instead, which are as many as there are runners.
 */
export function indexAttributes(build: Build): Item {
  const { list, due } = listOf(build);
  const end = 'expiresAt' in build ? build.expiresAt : build.state === 'expiring' ? build.lease.expiresAt : undefined;
  return {
    [BUILD_TABLE.sweepIndex.hashKey]: { S: list },
    [BUILD_TABLE.sweepIndex.rangeKey]: { S: due },
    ...(end !== undefined && { [BUILD_TABLE.ttlAttribute]: { N: String(Math.ceil(Date.parse(end) / 1000) + BACKSTOP_SECONDS) } }),
  };
}

function listOf(build: Build): { list: SweepList; due: string } {
  switch (build.state) {
    case 'queued':
      return { list: 'queued', due: build.queuedAt };
    case 'building':
      return { list: 'building', due: build.startedAt };
    case 'expiring':
      return { list: 'expiring', due: build.enqueuedAt };
    case 'done':
    case 'failed':
    case 'cancelled':
      return { list: 'ended', due: build.expiresAt };
  }
}

export interface SweepQuery {
  /** Only entries that are due before this time. */
  readonly before?: Date;
  /** Only entries that are due after this time. Not together with `before`. */
  readonly after?: Date;
  /** The most entries that the caller needs. */
  readonly limit?: number;
}

/** Returns entries of the sweep index (keys and `ticket`), the earliest due first. */
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
    const { Items = [], LastEvaluatedKey } = await withServiceError('build table', client.send(query));
    items.push(...Items);
    start = LastEvaluatedKey;
  } while (start !== undefined && items.length < limit);
  return items.length > limit ? items.slice(0, limit) : items;
}
