import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { latestPlausible } from '#core/clock-skew.ts';
import type { Clock } from '#core/stores.ts';
import type { Item } from '../builds/build-item.ts';
import { querySweepList } from '../builds/sweep-lists.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_TABLE } from '../resources.ts';
import { isWaiting, waitingTickets } from './ledger-state.ts';
import { queueLedger } from './queue-ledger.ts';

const DOUBTS: Item = { [BUILD_TABLE.hashKey]: { S: 'queue' }, [BUILD_TABLE.rangeKey]: { S: 'doubts' } };

/** How long a disagreement must last: a write in progress, or an index that is behind, takes only moments. */
const DOUBT_MS = 10_000;

export interface ReconciledLedger {
  /**
   * How many tickets belonged to builds that no longer wait, or never existed because a process died between two
   * writes.
   */
  readonly departed: number;
  /** How many tickets of waiting builds the ledger had missed. */
  readonly missed: number;
}

/**
 * Corrects the ledger. Where the ledger and the index of queued rows disagree in two looks, some time apart, it makes
 * the ledger agree with the index. Every sweep should run it: it is idempotent, and several processes may run it at the
 * same time. It costs two read units, and one per hundred waiting builds.
 */
export async function reconcileLedger(client: DynamoDBClient, table: string, now: Clock): Promise<ReconciledLedger> {
  const ledger = queueLedger(client, table);
  const call = <T>(promise: Promise<T>) => withServiceError('build table', promise);

  const state = await ledger.read({ isStrong: true });
  const queued = new Set((await querySweepList(client, table, 'queued')).map((item) => Number(item['ticket']?.N)));
  const departed = waitingTickets(state).filter((ticket) => !queued.has(ticket));
  const missed = [...queued].filter((ticket) => !isWaiting(state, ticket));

  const { Item: doubts } = await call(client.send(new GetItemCommand({ TableName: table, Key: DOUBTS, ConsistentRead: true })));
  const since = doubts?.['since']?.S;
  // Doubts from a time in the future were dated by a clock that has been set back since: they start again.
  const isAhead = since !== undefined && since > latestPlausible(now()).toISOString();
  if (since !== undefined && !isAhead && Date.parse(since) + DOUBT_MS > now().getTime()) return { departed: 0, missed: 0 };
  const doubted = new Set(isAhead ? [] : (doubts?.['tickets']?.NS ?? []).map(Number));
  const confirmed = {
    departed: departed.filter((ticket) => doubted.has(ticket)),
    missed: missed.filter((ticket) => doubted.has(ticket)),
  };
  await ledger.left(confirmed.departed);
  await ledger.returned(confirmed.missed);

  const open = [...departed, ...missed].filter((ticket) => !doubted.has(ticket));
  if (open.length > 0) {
    const Item: Item = { ...DOUBTS, since: { S: now().toISOString() }, tickets: { NS: open.map(String) } };
    await call(client.send(new PutItemCommand({ TableName: table, Item })));
  } else if (doubts !== undefined) await call(client.send(new DeleteItemCommand({ TableName: table, Key: DOUBTS })));
  return { departed: confirmed.departed.length, missed: confirmed.missed.length };
}
