import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { COUNTED_BUILD_DAYS, type CountedBuild, dayOf } from '#core/statistics/counts.ts';
import { PartlyCountedError } from '#core/statistics/partly-counted-error.ts';
import type { Statistics } from '#core/statistics/ports.ts';
import type { Clock } from '#core/stores.ts';
import type { Item } from '../builds/build-item.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { STATISTICS_TABLE } from '../resources.ts';
import {
  addExpression,
  joinParts,
  type KnownNames,
  knownNames,
  NO_NAMES,
  partsOf,
  type RequestPart,
  requestsOfDay,
} from './request-sums.ts';
import { statisticsDays } from './statistics-days.ts';
import { countedOf, endAttributes, eventKey, eventsOf, eventTtl } from './statistics-event.ts';

/**
 * The age from which a count may come too late for a roll-up. Roll-ups leave out more than this
 * (`roll-up-statistics.ts`).
 */
const LATE_MS = 600_000;
/** A day after every day, and a range key after every item of a day. */
const LAST_DAY = '9999-12-31';
const END = '~';
/** How many days, and how many items, a process remembers. */
const REMEMBERED = 1_000;

/**
 * Returns statistics on DynamoDB. A build is one item, written when it starts and when it ends: each write costs one
 * unit, and its key makes it idempotent. Every figure is the sum of such items, so figures cannot disagree.
 * `rollUpStatistics` sums up past items.
 */
export function dynamoStatistics(client: DynamoDBClient, table: string, now: Clock): Statistics {
  const days = statisticsDays(client, table);
  const call = <T>(promise: Promise<T>) => withServiceError('statistics table', promise);
  const noted = new Set<string>();
  const lastSeen = new Map<string, KnownNames>();

  const note = async (day: string): Promise<void> => {
    if (noted.has(day)) return;
    await days.note(day);
    if (noted.size > REMEMBERED) noted.clear();
    noted.add(day);
  };
  const isLate = (time: string): boolean => Date.parse(time) < now().getTime() - LATE_MS;

  /** Writes to a build's item. Returns false when the condition does not hold. */
  const write = async (build: CountedBuild, attributes: Item, condition?: string): Promise<boolean> => {
    const day = dayOf(build.enqueuedAt);
    await note(day);
    const all = Object.entries({ ...eventTtl(build), ...attributes });
    const command = new UpdateItemCommand({
      TableName: table,
      Key: eventKey(build),
      UpdateExpression: `SET ${all.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(all.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(all.map(([name, value]) => [`:${name}`, value])),
      ...(condition && { ConditionExpression: condition }),
      ReturnValues: 'ALL_OLD',
    });
    try {
      const { Attributes } = await call(client.send(command));
      if (Attributes === undefined && isLate(build.enqueuedAt)) await days.void(day);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  const addPart = async (day: string, { place, ...part }: RequestPart): Promise<void> => {
    const command = new UpdateItemCommand({
      TableName: table,
      Key: { [STATISTICS_TABLE.hashKey]: { S: requestsOfDay(day) }, [STATISTICS_TABLE.rangeKey]: { S: place } },
      ...addExpression(part, lastSeen.get(place) ?? NO_NAMES),
      ReturnValues: 'ALL_NEW',
    });
    const { Attributes } = await call(client.send(command));
    if (lastSeen.size > REMEMBERED) lastSeen.clear();
    lastSeen.set(place, knownNames(Attributes));
  };

  return {
    async count(counts) {
      const { hits, joined, rejected, clients, subjects } = counts;
      if (hits + joined + rejected === 0 && Object.keys({ ...clients, ...subjects }).length === 0) return;
      const day = dayOf(counts.at);
      await note(day);
      const parts = partsOf(counts);
      const uncounted: RequestPart[] = [];
      const errors: unknown[] = [];
      const add = (part: RequestPart) =>
        addPart(day, part).catch((error: unknown) => {
          uncounted.push(part);
          errors.push(error);
        });
      await Promise.all(parts.map(add));
      if (uncounted.length === parts.length) throw errors[0];
      if (isLate(counts.at)) await days.void(day).catch((error: unknown) => errors.push(error));
      if (errors.length > 0) throw new PartlyCountedError(joinParts(counts.at, uncounted), { cause: errors[0] });
    },

    async started(build) {
      await write(build, {});
    },

    ended: (end) => write(end, endAttributes(end), 'attribute_not_exists(#endedAt)'),

    async unended(before, limit, ahead) {
      const until = before.toISOString();
      const unended: CountedBuild[] = [];
      const oldest = dayOf(new Date(now().getTime() - COUNTED_BUILD_DAYS * 86_400_000).toISOString());
      const early = ahead?.toISOString();
      for (const { day, upto = '', isFinal } of await days.between(oldest, early === undefined ? dayOf(until) : LAST_DAY)) {
        // The query includes `upto` itself, which does no harm: that build has ended.
        const parts: [from: string, until: string][] = isFinal || day > dayOf(until) ? [] : [[upto || '0', until]];
        if (early !== undefined && day >= dayOf(early)) parts.unshift([`${early}${END}`, END]);
        for (const [from, to] of parts)
          for await (const item of days.query(eventsOf(day), from, to)) {
            if (item['endedAt'] === undefined) unended.push(countedOf(item));
            if (unended.length === limit) return unended;
          }
      }
      return unended;
    },
  };
}
