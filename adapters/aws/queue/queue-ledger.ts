import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../builds/build-item.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_TABLE } from '../resources.ts';
import { EMPTY_LEDGER, type LedgerState, pruned } from './ledger-state.ts';

const KEY: Item = { [BUILD_TABLE.hashKey]: { S: 'queue' }, [BUILD_TABLE.rangeKey]: { S: 'ledger' } };
const NAMES = { '#issued': 'issued', '#floor': 'floor', '#left': 'left', '#back': 'back', '#version': 'version' };

/**
 * The number of entries from which a ledger is pruned. Fewer are not worth a write: this many fit well into one unit.
 */
const PRUNE_ENTRIES = 24;
/** One in so many writers prunes, because writers that prune at the same time would only refuse each other. */
const PRUNE_EVERY = 4;

/**
 * The item that knows which tickets wait (`ledger-state.ts`). A read costs half a unit, however long the queue is. It
 * is not written together with the rows: it serves only positions, each of its writes may be repeated, and
 * `reconcile-ledger.ts` corrects it after a crash between the write of a row and that of the ledger.
 */
export interface QueueLedger {
  read(options?: { isStrong?: boolean }): Promise<LedgerState>;
  /** Returns the next ticket, which waits from now on. */
  issue(): Promise<number>;
  left(tickets: readonly number[]): Promise<void>;
  returned(tickets: readonly number[]): Promise<void>;
}

export function queueLedger(client: DynamoDBClient, table: string): QueueLedger {
  /** The newest state that was read. A replica may be behind it, and the ledger must not seem to go back. */
  let newest = EMPTY_LEDGER;
  const remember = (item: Item | undefined): LedgerState => {
    const state = stateOf(item);
    if (state.version >= newest.version) newest = state;
    return newest;
  };

  const update = async (change: Partial<UpdateItemCommandInput>): Promise<LedgerState> => {
    const call = client.send(new UpdateItemCommand({ TableName: table, Key: KEY, ReturnValues: 'ALL_NEW', ...change }));
    const { Attributes } = await withServiceError('build table', call);
    remember(Attributes);
    return stateOf(Attributes);
  };

  /** Prunes the ledger if it still is as given. If it has changed, a later writer prunes it. */
  const prune = async (state: LedgerState): Promise<void> => {
    const size = state.left.size + state.back.size;
    if (size < PRUNE_ENTRIES || size % PRUNE_EVERY !== 0) return;
    const next = pruned(state);
    if (next.left.size + next.back.size > size / 2) return;
    const set = ['#floor = :floor', ...(next.left.size > 0 ? ['#left = :left'] : []), ...(next.back.size > 0 ? ['#back = :back'] : [])];
    const remove = [...(next.left.size > 0 ? [] : ['#left']), ...(next.back.size > 0 ? [] : ['#back'])];
    try {
      await update({
        UpdateExpression: `SET ${set.join(', ')} ADD #version :one${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
        ConditionExpression: '#version = :version',
        ExpressionAttributeNames: namesIn('#floor', '#left', '#back', '#version'),
        ExpressionAttributeValues: {
          ':floor': { N: String(next.floor) },
          ...(next.left.size > 0 && { ':left': ticketSet([...next.left]) }),
          ...(next.back.size > 0 && { ':back': ticketSet([...next.back]) }),
          ':one': { N: '1' },
          ':version': { N: String(state.version) },
        },
      });
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  };

  const move = async (from: '#left' | '#back', to: '#left' | '#back', tickets: readonly number[]): Promise<void> => {
    if (tickets.length === 0) return;
    const state = await update({
      UpdateExpression: `ADD ${to} :tickets, #version :one DELETE ${from} :tickets`,
      ExpressionAttributeNames: namesIn('#left', '#back', '#version'),
      ExpressionAttributeValues: { ':tickets': ticketSet(tickets), ':one': { N: '1' } },
    });
    await prune(state);
  };

  return {
    async read({ isStrong = false } = {}) {
      const call = client.send(new GetItemCommand({ TableName: table, Key: KEY, ConsistentRead: isStrong }));
      return remember((await withServiceError('build table', call)).Item);
    },
    async issue() {
      const { issued } = await update({
        UpdateExpression: 'ADD #issued :one, #version :one',
        ExpressionAttributeNames: namesIn('#issued', '#version'),
        ExpressionAttributeValues: { ':one': { N: '1' } },
      });
      return issued;
    },
    left: (tickets) => move('#back', '#left', tickets),
    returned: (tickets) => move('#left', '#back', tickets),
  };
}

const namesIn = (...names: (keyof typeof NAMES)[]) => Object.fromEntries(names.map((name) => [name, NAMES[name]]));

const ticketSet = (tickets: readonly number[]): AttributeValue => ({ NS: [...new Set(tickets)].map(String) });

function stateOf(item: Item | undefined): LedgerState {
  if (item === undefined) return EMPTY_LEDGER;
  const number = (name: string, otherwise: number) => Number(item[name]?.N ?? otherwise);
  const tickets = (name: string) => new Set((item[name]?.NS ?? []).map(Number));
  return {
    issued: number('issued', EMPTY_LEDGER.issued),
    floor: number('floor', EMPTY_LEDGER.floor),
    left: tickets('left'),
    back: tickets('back'),
    version: number('version', EMPTY_LEDGER.version),
  };
}
