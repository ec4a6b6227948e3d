import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, it } from 'vitest';
import { ThrottledError } from '#core/errors.ts';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { bodyOf, startHttpServer } from '#test/support/http-server.ts';
import { buildKey, type Item } from '../builds/build-item.ts';
import { readItems } from './read-items.ts';

const TABLE = 'builds';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Starts a DynamoDB that reads at most `capacity` of the requested items and returns the other keys unprocessed. */
async function busyDynamo(capacity: number) {
  const asked: number[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { RequestItems } = JSON.parse((await bodyOf(request)).toString());
    const { Keys } = RequestItems[TABLE] as { Keys: Item[] };
    asked.push(Keys.length);
    const unread = Keys.slice(capacity);
    const UnprocessedKeys = unread.length > 0 ? { [TABLE]: { Keys: unread } } : {};
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ Responses: { [TABLE]: Keys.slice(0, capacity) }, UnprocessedKeys }));
  });
  closers.push(server.close);
  const endpoint = server.url;
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  return { client, asked };
}

const keysOf = (count: number) => Array.from({ length: count }, () => buildKey(freshHash()));

it('reads every item, a hundred at a time, and pauses before it asks again for unprocessed keys', async () => {
  const { client, asked } = await busyDynamo(40);
  const keys = keysOf(130);
  const pauses: number[] = [];
  const items = await readItems(client, TABLE, keys, { pause: async (ms) => void pauses.push(ms) });
  expect(items.map((item) => item['hash']?.S).sort()).toEqual(keys.map((key) => key['hash']?.S).sort());
  expect(asked).toEqual([100, 60, 20, 30]);
  expect(pauses).toHaveLength(2);
  for (const ms of pauses) expect(ms).toBeGreaterThan(0);
});

it('gives up when DynamoDB returns no item again and again, and says that the table is busy', async () => {
  const { client, asked } = await busyDynamo(0);
  const pauses: number[] = [];
  const error = await readItems(client, TABLE, keysOf(3), { pause: async (ms) => void pauses.push(ms) }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ThrottledError);
  expect(asked).toEqual(asked.map(() => 3));
  expect(pauses).toHaveLength(asked.length - 1);
  for (const ms of pauses) expect(ms).toBeLessThanOrEqual(2_000);
});

it('sends no request when there are no keys', async () => {
  const { client, asked } = await busyDynamo(1);
  expect(await readItems(client, TABLE, [])).toEqual([]);
  expect(asked).toEqual([]);
});
