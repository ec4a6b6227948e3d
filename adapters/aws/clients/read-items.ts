import { setTimeout as sleep } from 'node:timers/promises';
import { BatchGetItemCommand, type BatchGetItemCommandOutput, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ThrottledError } from '#core/errors.ts';
import type { Item } from '../builds/build-item.ts';
import { withServiceError } from './with-service-error.ts';

/** The most items that DynamoDB reads in one call. */
const BATCH = 100;
/** DynamoDB returns the keys for which it has no capacity. It would have none either if it were asked again at once. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** The rounds for one batch, which take some seconds with the pauses between them. */
const MAX_ROUNDS = 8;

export interface ReadItemsOptions {
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Returns the items with these keys that exist, in no particular order. They may be a moment behind. It asks again for
 * the keys that DynamoDB returns unprocessed, after a random pause that grows, and throws `ThrottledError` when that
 * does not help.
 */
export async function readItems(
  client: DynamoDBClient,
  table: string,
  keys: readonly Item[],
  { pause = sleep }: ReadItemsOptions = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let start = 0; start < keys.length; start += BATCH) {
    let unread: Item[] = keys.slice(start, start + BATCH);
    for (let round = 0; unread.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw new ThrottledError('build table');
      if (round > 0) await pause(Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round));
      const call = client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: unread } } }));
      const answer: BatchGetItemCommandOutput = await withServiceError('build table', call);
      items.push(...(answer.Responses?.[table] ?? []));
      unread = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
}
