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
import { withThrottledError } from '../clients/throttled.ts';
import { STATISTICS_TABLE } from '../resources.ts';
import { type DaySums, type Details, noDetails, type Sums } from './statistics-sums.ts';

const { hashKey, rangeKey, ttlAttribute } = STATISTICS_TABLE;

/** A day of which anything was counted. Events up to `upto` are in its roll-up, later ones are read one by one. */
export interface CountedDay {
  readonly day: string;
  /** Counted up when something comes so late that a roll-up has passed it: that roll-up is void. */
  readonly generation: number;
  /** The place of the last event of the roll-up; absent: there is no roll-up. */
  readonly upto?: string;
  /** Nothing of this day is to come: not even its requests are read one by one. */
  readonly isFinal: boolean;
}

/** Errors are asked for across days; older details go. */
const DETAIL_TTL_SECONDS = 400 * 86_400;

const keyOf = (part: string, at: string): Item => ({ [hashKey]: { S: part }, [rangeKey]: { S: at } });
/** A roll-up is written under a name of its own before the day points to it: a reader never sees half of one. */
const rollUpName = (day: string, generation: number, upto: string): string => `${day}#${generation}#${upto}`;

export type StatisticsDays = ReturnType<typeof statisticsDays>;

/** The items of the statistics table, by day. */
export function statisticsDays(client: DynamoDBClient, table: string) {
  const call = <T>(promise: Promise<T>) => withThrottledError('statistics table', promise);

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

    /** Days of which anything was counted, both included, oldest first. */
    async between(from: string, until: string, isStrong = false): Promise<CountedDay[]> {
      const days: CountedDay[] = [];
      for await (const item of query('days', from, until, isStrong)) days.push(dayOfItem(item));
      return days;
    },

    async read(day: string): Promise<CountedDay | undefined> {
      const { Item } = await call(client.send(new GetItemCommand({ TableName: table, Key: keyOf('days', day), ConsistentRead: true })));
      return Item && dayOfItem(Item);
    },

    /** Before anything of the day is written, so that no reader overlooks it. Most processes find it noted: half a read unit. */
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

    /** After something late was written. */
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
    /** One that was written before something else was counted has nothing of that. */
    details: async (day: CountedDay): Promise<Details | undefined> => {
      const details = await readBody<Partial<Details>>('details', day);
      return details && { ...noDetails(), ...details };
    },

    /** Lets the day point to a new roll-up, unless it was voided or rolled up meanwhile. */
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
        // The same roll-up may be somebody else's by now: it is left where it is.
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
      if (before.upto !== after.upto) await dropBodies(before);
      return true;
    },
  };
}
