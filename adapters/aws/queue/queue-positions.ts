import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { QueuePositions } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { buildKey, buildOf } from '../builds/build-item.ts';
import { querySweepList } from '../builds/sweep-lists.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_TABLE } from '../resources.ts';
import { isWaiting, waitingBelow, waitingCount } from './ledger-state.ts';
import { queueLedger } from './queue-ledger.ts';

/**
 * Returns queue positions from one item, the ledger, whose read costs half a unit. It reads the row only when the
 * caller's ticket cannot be right. Positions may be a moment behind, but within one process they never go back.
 */
export function dynamoQueuePositions(client: DynamoDBClient, table: string): QueuePositions {
  const ledger = queueLedger(client, table);

  const ticketOf = async (hash: RequestHash): Promise<number | undefined> => {
    const call = client.send(new GetItemCommand({ TableName: table, Key: buildKey(hash), ConsistentRead: true }));
    const { Item } = await withServiceError('build table', call);
    return Item && buildOf(Item).ticket;
  };

  return {
    async waiting() {
      return waitingCount(await ledger.read());
    },

    async ahead(build) {
      let ticket = build.ticket;
      let state = await ledger.read();
      if (ticket === undefined || ticket > state.issued) {
        // The ticket was issued just now, or never. The row has the right one, and a strong read of the ledger has
        // every row's ticket.
        ticket = await ticketOf(build.hash);
        state = await ledger.read({ isStrong: true });
      }
      return ticket !== undefined && isWaiting(state, ticket) ? waitingBelow(state, ticket) : 0;
    },

    async running() {
      const { name, hashKey } = BUILD_TABLE.sweepIndex;
      let running = 0;
      let start: Record<string, never> | undefined;
      do {
        const query = new QueryCommand({
          TableName: table,
          IndexName: name,
          Select: 'COUNT',
          KeyConditionExpression: '#list = :list',
          ExpressionAttributeNames: { '#list': hashKey },
          ExpressionAttributeValues: { ':list': { S: 'building' } },
          ...(start && { ExclusiveStartKey: start }),
        });
        const { Count = 0, LastEvaluatedKey } = await withServiceError('build table', client.send(query));
        running += Count;
        start = LastEvaluatedKey as typeof start;
      } while (start !== undefined);
      return running;
    },

    async oldest() {
      const [first] = await querySweepList(client, table, 'queued', { limit: 1 });
      const queuedAt = first?.[BUILD_TABLE.sweepIndex.rangeKey]?.S;
      return queuedAt === undefined ? undefined : new Date(queuedAt);
    },
  };
}
