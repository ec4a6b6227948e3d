import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { latestPlausible } from '#core/clock-skew.ts';
import type { Clock } from '#core/stores.ts';
import type { Item } from '../builds/build-item.ts';
import { querySweepList } from '../builds/sweep-lists.ts';
import { withThrottledError } from '../clients/throttled.ts';
import { BUILD_TABLE } from '../resources.ts';
import { isWaiting, waitingTickets } from './ledger-state.ts';
import { queueLedger } from './queue-ledger.ts';

const DOUBTS: Item = { [BUILD_TABLE.hashKey]: { S: 'queue' }, [BUILD_TABLE.rangeKey]: { S: 'doubts' } };

/** A write between row and ledger, or an index that is behind, is a matter of moments. */
const DOUBT_MS = 10_000;

export interface ReconciledLedger {
  /** Tickets whose builds wait no longer, or never were: a process died between two writes. */
  readonly departed: number;
  /** Tickets of waiting builds that the ledger had missed. */
  readonly missed: number;
}

/**
 * Puts the ledger right: what it and the index of queued rows have disagreed on in two looks, some time apart, is settled as the
 * index says. Idempotent and safe to run at once; every sweep should. Costs two read units and one per hundred waiting builds.
 */
export async function reconcileLedger(client: DynamoDBClient, table: string, now: Clock): Promise<ReconciledLedger> {
  const ledger = queueLedger(client, table);
  const call = <T>(promise: Promise<T>) => withThrottledError('build table', promise);

  const state = await ledger.read({ isStrong: true });
  const queued = new Set((await querySweepList(client, table, 'queued')).map((item) => Number(item['ticket']?.N)));
  const departed = waitingTickets(state).filter((ticket) => !queued.has(ticket));
  const missed = [...queued].filter((ticket) => !isWaiting(state, ticket));

  const { Item: doubts } = await call(client.send(new GetItemCommand({ TableName: table, Key: DOUBTS, ConsistentRead: true })));
  const since = doubts?.['since']?.S;
  // Doubts from a time that is still to come were dated by a clock that has been set back since: they begin anew.
  const isAhead = since !== undefined && since > latestPlausible(now()).toISOString();
  if (since !== undefined && !isAhead && Date.parse(since) + DOUBT_MS > now().getTime()) return { departed: 0, missed: 0 };
  const doubted = new Set(isAhead ? [] : (doubts?.['tickets']?.NS ?? []).map(Number));
  const settled = {
    departed: departed.filter((ticket) => doubted.has(ticket)),
    missed: missed.filter((ticket) => doubted.has(ticket)),
  };
  await ledger.left(settled.departed);
  await ledger.returned(settled.missed);

  const open = [...departed, ...missed].filter((ticket) => !doubted.has(ticket));
  if (open.length > 0) {
    const Item: Item = { ...DOUBTS, since: { S: now().toISOString() }, tickets: { NS: open.map(String) } };
    await call(client.send(new PutItemCommand({ TableName: table, Item })));
  } else if (doubts !== undefined) await call(client.send(new DeleteItemCommand({ TableName: table, Key: DOUBTS })));
  return { departed: settled.departed.length, missed: settled.missed.length };
}
