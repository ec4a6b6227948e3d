import { setTimeout as sleep } from 'node:timers/promises';
import { BatchGetItemCommand, type BatchGetItemCommandOutput, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ThrottledError } from '#core/errors.ts';
import type { Item } from '../builds/build-item.ts';
import { withThrottledError } from './throttled.ts';

/** The most that DynamoDB reads at once. */
const BATCH = 100;
/** DynamoDB hands back what it has no capacity for; asked again at once, it has none either. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** With the pauses between them some seconds. */
const MAX_ROUNDS = 8;

export interface ReadItemsOptions {
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Reads items by their keys, in no order, those that are not there left out; may be a moment behind. What DynamoDB hands back unread is
 * asked for again after a pause that grows and differs from process to process. Throws `ThrottledError` when that does not help.
 */
export async function readItems(
  client: DynamoDBClient,
  table: string,
  keys: readonly Item[],
  { pause = sleep }: ReadItemsOptions = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let start = 0; start < keys.length; start += BATCH) {
    let left: Item[] = keys.slice(start, start + BATCH);
    for (let round = 0; left.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw new ThrottledError('build table');
      if (round > 0) await pause(Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round));
      const call = client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left } } }));
      const answer: BatchGetItemCommandOutput = await withThrottledError('build table', call);
      items.push(...(answer.Responses?.[table] ?? []));
      left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
}
