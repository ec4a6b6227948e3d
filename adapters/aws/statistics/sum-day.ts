import { addRequests, requestsOfDay } from './request-sums.ts';
import type { CountedDay, StatisticsDays } from './statistics-days.ts';
import { countedOf, endOf, eventsOf } from './statistics-event.ts';
import { addEnd, addFigures, type DaySums, noDetails, noSums } from './statistics-sums.ts';

/** A range key after every item of a day. */
const END = '~';

/**
 * How often a reader looks for a day's roll-up. When it is replaced during a read, the reader asks the day for the new
 * one. If that happens this often, it is no coincidence.
 */
const ATTEMPTS = 5;

export interface SumDayOptions {
  readonly withDetails?: boolean;
}

/**
 * Returns the sums of the builds accepted and the requests made on one day: its roll-up, if it has one, and all later
 * items.
 */
export async function sumDay(days: StatisticsDays, counted: CountedDay, { withDetails = false }: SumDayOptions = {}): Promise<DaySums> {
  const { day, base } = await rollUpOf(days, counted, withDetails);
  if (day.isFinal) return base;
  for await (const item of days.query(eventsOf(day.day), day.upto ?? '0', END)) {
    // A query includes its bounds, but `upto` is in the roll-up already.
    if (item['at']?.S === day.upto) continue;
    addFigures(base.sums, countedOf(item).enqueuedAt, { misses: 1 });
    const end = endOf(item);
    if (end) addEnd(base, end);
  }
  for await (const item of days.query(requestsOfDay(day.day), '0', END)) addRequests(base, item);
  return base;
}

async function rollUpOf(days: StatisticsDays, counted: CountedDay, withDetails: boolean): Promise<{ day: CountedDay; base: DaySums }> {
  let day: CountedDay = counted;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (day.upto === undefined) return { day, base: { sums: noSums(), details: noDetails() } };
    const sums = await days.sums(day);
    const details = withDetails ? await days.details(day) : noDetails();
    if (sums && details) return { day, base: { sums, details } };
    const now = (await days.read(day.day)) ?? day;
    // The roll-up is still the same, so its details have expired.
    if (sums && now.upto === day.upto && now.generation === day.generation) return { day, base: { sums, details: noDetails() } };
    day = now;
  }
  throw new Error(`The statistics of ${day.day} cannot be read: their roll-up is missing`);
}
