import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../builds/build-item.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { STATISTICS_TABLE } from '../resources.ts';
import { type DaySums, type Details, noDetails, type Sums } from './statistics-sums.ts';

const { hashKey, rangeKey, ttlAttribute } = STATISTICS_TABLE;

/** A day for which anything was counted. Its roll-up has the events up to `upto`; later ones are read one by one. */
export interface CountedDay {
  readonly day: string;
  /** A number that is incremented when a count comes too late for the roll-up. It makes that roll-up void. */
  readonly generation: number;
  /** The range key of the roll-up's last event. Absent when there is no roll-up. */
  readonly upto?: string;
  /** Whether the day is complete: then its requests are in the roll-up too, and are not read one by one. */
  readonly isFinal: boolean;
}

/** How long details are kept. Reports read errors across days. */
const DETAIL_TTL_SECONDS = 400 * 86_400;

const keyOf = (part: string, at: string): Item => ({ [hashKey]: { S: part }, [rangeKey]: { S: at } });
/**
 * Returns the unique name of a roll-up. It is written under this name before the day points to it, so a reader never
 * sees half of one.
 */
const rollUpName = (day: string, generation: number, upto: string): string => `${day}#${generation}#${upto}`;

export type StatisticsDays = ReturnType<typeof statisticsDays>;

/** Returns access to the items of the statistics table, by day. */
export function statisticsDays(client: DynamoDBClient, table: string) {
  const call = <T>(promise: Promise<T>) => withServiceError('statistics table', promise);

  async function* query(part: string, from: string, until: string, isStrong = false): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#part = :part AND #at BETWEEN :from AND :until',
        ExpressionAttributeNames: { '#part': hashKey, '#at': rangeKey },
        ExpressionAttributeValues: { ':part': { S: part }, ':from': { S: from }, ':until': { S: until } },
        ConsistentRead: isStrong,
        ...(start && { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await call(client.send(command));
      yield* Items;
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }

  const dayOfItem = (item: Item): CountedDay => ({
    day: item[rangeKey]?.S ?? '',
    generation: Number(item['generation']?.N ?? 0),
    ...(item['upto']?.S !== undefined && { upto: item['upto'].S }),
    isFinal: item['isFinal']?.BOOL ?? false,
  });

  const readBody = async <T>(part: string, { day, generation, upto = '' }: CountedDay): Promise<T | undefined> => {
    const Key = keyOf(part, rollUpName(day, generation, upto));
    const { Item } = await call(client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true })));
    return Item?.['body']?.B && JSON.parse(brotliDecompressSync(Item['body'].B).toString('utf8'));
  };
  const writeBody = (part: string, name: string, body: unknown, ttl?: number) =>
    call(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: {
            ...keyOf(part, name),
            body: { B: brotliCompressSync(JSON.stringify(body)) },
            ...(ttl !== undefined && { [ttlAttribute]: { N: String(ttl) } }),
          },
        }),
      ),
    );
  const dropBodies = async ({ day, generation, upto }: CountedDay): Promise<void> => {
    if (upto === undefined) return;
    for (const part of ['sums', 'details'])
      await call(client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(part, rollUpName(day, generation, upto)) })));
  };

  return {
    query,

    /** Returns the days for which anything was counted, from `from` to `until` inclusive, oldest first. */
    async between(from: string, until: string, isStrong = false): Promise<CountedDay[]> {
      const days: CountedDay[] = [];
      for await (const item of query('days', from, until, isStrong)) days.push(dayOfItem(item));
      return days;
    },

    async read(day: string): Promise<CountedDay | undefined> {
      const { Item } = await call(client.send(new GetItemCommand({ TableName: table, Key: keyOf('days', day), ConsistentRead: true })));
      return Item && dayOfItem(Item);
    },

    /**
     * Notes that something is counted for a day. Called before any other write for the day, so that no reader overlooks
     * it. Most processes find the day noted, which costs half a read unit.
     */
    async note(day: string): Promise<void> {
      const { Item } = await call(client.send(new GetItemCommand({ TableName: table, Key: keyOf('days', day) })));
      if (Item) return;
      const change = {
        UpdateExpression: 'SET #generation = if_not_exists(#generation, :zero)',
        ExpressionAttributeNames: { '#generation': 'generation' },
        ExpressionAttributeValues: { ':zero': { N: '0' } },
      };
      await call(client.send(new UpdateItemCommand({ TableName: table, Key: keyOf('days', day), ...change })));
    },

    /** Makes a day's roll-up void. Called after a late count was written. */
    async void(day: string): Promise<void> {
      const change = {
        UpdateExpression: 'ADD #generation :one REMOVE #upto, #isFinal',
        ExpressionAttributeNames: { '#generation': 'generation', '#upto': 'upto', '#isFinal': 'isFinal' },
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'ALL_OLD' as const,
      };
      const { Attributes } = await call(client.send(new UpdateItemCommand({ TableName: table, Key: keyOf('days', day), ...change })));
      if (Attributes) await dropBodies(dayOfItem(Attributes));
    },

    sums: (day: CountedDay): Promise<Sums | undefined> => readBody('sums', day),
    /**
     * Returns the details of a roll-up. An earlier version may have written it without some kinds of counts: those are
     * empty.
     */
    details: async (day: CountedDay): Promise<Details | undefined> => {
      const details = await readBody<Partial<Details>>('details', day);
      return details && { ...noDetails(), ...details };
    },

    /** Makes the day point to a new roll-up. Returns false when the day was voided or rolled up meanwhile. */
    async rollUp(before: CountedDay, after: CountedDay & { upto: string }, { sums, details }: DaySums): Promise<boolean> {
      const name = rollUpName(after.day, after.generation, after.upto);
      await writeBody('sums', name, sums);
      await writeBody('details', name, details, Math.ceil(Date.parse(`${after.day}T00:00:00Z`) / 1000) + DETAIL_TTL_SECONDS);
      try {
        const change = {
          UpdateExpression: 'SET #upto = :upto, #isFinal = :isFinal',
          ConditionExpression: `#generation = :generation AND ${before.upto === undefined ? 'attribute_not_exists(#upto)' : '#upto = :before'}`,
          ExpressionAttributeNames: { '#generation': 'generation', '#upto': 'upto', '#isFinal': 'isFinal' },
          ExpressionAttributeValues: {
            ':upto': { S: after.upto },
            ':isFinal': { BOOL: after.isFinal },
            ':generation': { N: String(after.generation) },
            ...(before.upto !== undefined && { ':before': { S: before.upto } }),
          },
        };
        await call(client.send(new UpdateItemCommand({ TableName: table, Key: keyOf('days', after.day), ...change })));
      } catch (error) {
        // Another process may have made the same roll-up meanwhile, so this one is not deleted.
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
      if (before.upto !== after.upto) await dropBodies(before);
      return true;
    },
  };
}
