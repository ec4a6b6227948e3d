import { randomBytes } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Build, isReplaceable, isStill, isTransition, markOf } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { queueLedger } from '../queue/queue-ledger.ts';
import { BUILD_TABLE } from '../resources.ts';
import { buildKey, buildOf, type Item, itemOf } from './build-item.ts';
import { moveExpression } from './move-expression.ts';
import { orderItem, orderKey, orderOf } from './order-item.ts';
import { indexAttributes } from './sweep-lists.ts';

export interface DynamoBuildTableOptions {
  /**
   * With `eventual`, reads cost half and may be a moment behind, unless the caller asks for the latest. That suits a
   * process that only answers clients with the state of a build. A row that seems absent is always read again, with
   * strong consistency.
   */
  readonly reads?: 'strong' | 'eventual';
}

/**
 * Returns a table of builds in one DynamoDB table: each build has a row and, beside it, its order. Every change of a
 * row is one conditional write, and the loser of a race gets the winner's row with the refusal. Each write has a
 * signature, which shows that the "winner" is this same write when the SDK sent it twice.
 */
export function dynamoBuildTable(client: DynamoDBClient, table: string, { reads = 'strong' }: DynamoBuildTableOptions = {}): BuildTable {
  const ledger = queueLedger(client, table);
  const call = <T>(promise: Promise<T>) => withServiceError('build table', promise);

  const readItem = async (hash: RequestHash, isStrong: boolean): Promise<Item | undefined> =>
    (await call(client.send(new GetItemCommand({ TableName: table, Key: buildKey(hash), ConsistentRead: isStrong })))).Item;
  const find: BuildTable['get'] = async (hash, { isLatest = false } = {}) => {
    const item = (reads === 'eventual' && !isLatest ? await readItem(hash, false) : undefined) ?? (await readItem(hash, true));
    return item && buildOf(item);
  };
  async function* queryParts(hash: RequestHash, isStrong: boolean): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const query = new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#hash = :hash',
        ExpressionAttributeNames: { '#hash': BUILD_TABLE.hashKey },
        ExpressionAttributeValues: { ':hash': { S: hash } },
        ConsistentRead: isStrong,
        ...(start && { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await call(client.send(query));
      yield* Items;
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }
  const dropOrder = async (hash: RequestHash, ticket: number): Promise<void> => {
    // No row names this order any more. If this fails, the TTL removes it.
    await call(client.send(new DeleteItemCommand({ TableName: table, Key: orderKey(hash, ticket) }))).catch(() => undefined);
  };
  /**
   * Waits for a write to the ledger and ignores its failure: the row has moved already, and `reconcile-ledger.ts`
   * corrects the ledger.
   */
  const ignoreFailure = (ledgerWrite: Promise<void>): Promise<void> => ledgerWrite.catch(() => undefined);

  return {
    get: find,

    async order(hash) {
      const query = async (isStrong: boolean) => {
        // The row sorts first, then the orders of all claims that have not been removed yet, in pages of a megabyte.
        let ticket: string | undefined;
        for await (const item of queryParts(hash, isStrong)) {
          const part = item[BUILD_TABLE.rangeKey]?.S;
          if (part === 'build') ticket = item['ticket']?.N;
          if (ticket !== undefined && part === `order#${ticket}`) return orderOf(item);
        }
        return undefined;
      };
      return (reads === 'eventual' ? await query(false) : undefined) ?? (await query(true));
    },

    async claim(build, order, now, { over } = {}) {
      const { hash } = build;
      const seenItem = await readItem(hash, true);
      const seen = seenItem && buildOf(seenItem);
      if (seen && (over === undefined || !isReplaceable(seen, now) || !isStill(over, seen))) return { won: false, current: seen };

      const ticket = await ledger.issue();
      try {
        await call(client.send(new PutItemCommand({ TableName: table, Item: orderItem(ticket, order, hash, now) })));
      } catch (error) {
        await ignoreFailure(ledger.left([ticket]));
        throw error;
      }
      const claimed: Build = { ...build, ticket };
      const put = new PutItemCommand({
        TableName: table,
        Item: { ...buildKey(hash), ...itemOf(claimed), ...indexAttributes(claimed) },
        ...placeFor(over),
        ReturnValues: 'ALL_OLD',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      try {
        const { Attributes: replaced } = await call(client.send(put));
        if (replaced?.['ticket']?.N !== undefined) await dropOrder(hash, Number(replaced['ticket'].N));
        return { won: true, current: claimed };
      } catch (error) {
        const current = rowOf(error);
        if (current === undefined) throw error;
        // This same claim has written the row: the SDK sent it twice, and the first answer was lost.
        if (current.ticket === ticket) return { won: true, current };
        await Promise.all([ignoreFailure(ledger.left([ticket])), dropOrder(hash, ticket)]);
        return { won: false, current };
      }
    },

    async transition(from, to, { lapsedAt } = {}) {
      if (from.hash !== to.hash || !isTransition(from.state, to.state)) return { moved: false, current: await find(from.hash) };
      const signature = randomBytes(9).toString('base64');
      const updateLedger = async (item: Item) => {
        const current = buildOf(item);
        const ticket = current.ticket === undefined ? [] : [current.ticket];
        if (from.state === 'queued' && to.state !== 'queued') await ignoreFailure(ledger.left(ticket));
        if (from.state !== 'queued' && to.state === 'queued') await ignoreFailure(ledger.returned(ticket));
        return { moved: true, current };
      };
      try {
        const move = new UpdateItemCommand({
          TableName: table,
          Key: buildKey(from.hash),
          ...moveExpression(from, to, signature, lapsedAt),
        });
        const { Attributes = {} } = await call(client.send(move));
        return await updateLedger(Attributes);
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        if (error.Item?.['signature']?.S === signature) return updateLedger(error.Item);
        return { moved: false, current: error.Item && buildOf(error.Item) };
      }
    },

    async remove(from) {
      const { field, value } = markOf(from);
      const drop = new DeleteItemCommand({
        TableName: table,
        Key: buildKey(from.hash),
        ConditionExpression: '#state = :state AND #mark = :mark',
        ExpressionAttributeNames: { '#state': 'state', '#mark': field },
        ExpressionAttributeValues: { ':state': { S: from.state }, ':mark': { S: value } },
        ReturnValues: 'ALL_OLD',
      });
      try {
        const { Attributes } = await call(client.send(drop));
        await dropOrder(from.hash, Number(Attributes?.['ticket']?.N));
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}

/**
 * Returns the condition of a claim: no row, or one that is still as the caller has seen it. A row that was replaceable
 * then still is.
 */
function placeFor(over: Build | undefined) {
  if (over === undefined)
    return { ConditionExpression: 'attribute_not_exists(#hash)', ExpressionAttributeNames: { '#hash': BUILD_TABLE.hashKey } };
  const { field, value } = markOf(over);
  return {
    ConditionExpression: 'attribute_not_exists(#hash) OR (#state = :state AND #mark = :mark)',
    ExpressionAttributeNames: { '#hash': BUILD_TABLE.hashKey, '#state': 'state', '#mark': field },
    ExpressionAttributeValues: { ':state': { S: over.state }, ':mark': { S: value } },
  };
}

function rowOf(error: unknown): Build | undefined {
  return error instanceof ConditionalCheckFailedException && error.Item ? buildOf(error.Item) : undefined;
}
