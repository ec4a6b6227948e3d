import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { COUNTED_BUILD_DAYS, dayOf, MAX_BUILD_ERRORS } from '#core/statistics/counts.ts';
import type { Clock } from '#core/stores.ts';
import { addRequests, requestsOfDay } from './request-sums.ts';
import { type CountedDay, type StatisticsDays, statisticsDays } from './statistics-days.ts';
import { countedOf, endOf, eventsOf } from './statistics-event.ts';
import { addEnd, addFigures, noDetails, noSums } from './statistics-sums.ts';

const END = '~';

/**
 * The age from which events are rolled up. A report that comes soon after its event then does not void a roll-up
 * (`statistics.ts`).
 */
const KEEP_AWAY_MS = 900_000;

/** The least number of new events that is worth a roll-up's writes, unless it is a day's last roll-up. */
const MIN_EVENTS = 100;

/**
 * Sums up past events, so that reports, and the search for builds that have not ended, need not read them again.
 * Returns how many days changed. Several processes may run it at the same time. A run may be left out: call it about
 * every ten minutes, and at least once a month.
 */
export async function rollUpStatistics(client: DynamoDBClient, table: string, now: Clock, minEvents = MIN_EVENTS): Promise<number> {
  const days = statisticsDays(client, table);
  const oldest = dayOf(new Date(now().getTime() - (COUNTED_BUILD_DAYS + 4) * 86_400_000).toISOString());
  const end = new Date(now().getTime() - KEEP_AWAY_MS).toISOString();
  let changed = 0;
  for (const day of await days.between(oldest, dayOf(end), true))
    if (!day.isFinal && (await rollUpDay(days, day, end, minEvents))) changed++;
  return changed;
}

async function rollUpDay(days: StatisticsDays, counted: CountedDay, end: string, minEvents: number): Promise<boolean> {
  const { day, generation } = counted;
  const sums = counted.upto === undefined ? noSums() : await days.sums(counted);
  const details = counted.upto === undefined ? noDetails() : await days.details(counted);
  if (!sums || !details) return false; // replaced meanwhile

  let upto = counted.upto ?? '0';
  let events = 0;
  let hasOpen = false;
  for await (const item of days.query(eventsOf(day), upto, END, true)) {
    const at = item['at']?.S ?? '';
    if (at === counted.upto) continue;
    const build = endOf(item);
    if (build === undefined || at >= end) {
      hasOpen = true;
      break;
    }
    addFigures(sums, countedOf(item).enqueuedAt, { misses: 1 });
    addEnd({ sums, details }, build);
    upto = at;
    events += 1;
  }
  const isFinal = !hasOpen && day < dayOf(end);
  if (!isFinal && events < minEvents) return false;
  if (isFinal) for await (const item of days.query(requestsOfDay(day), '0', END, true)) addRequests({ sums, details }, item);
  const newest = details.errors.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, MAX_BUILD_ERRORS);
  // The last roll-up has another name than the one before it, even when there was no further event.
  const after = { day, generation, upto: isFinal ? `${upto}${END}` : upto, isFinal };
  return days.rollUp(counted, after, { sums, details: { ...details, errors: newest } });
}
