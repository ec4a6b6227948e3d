import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type BuildError,
  dayOf,
  type Figures,
  hourOf,
  type RankedKind,
  subjectCount,
  sumOf,
  type VersionCount,
} from '#core/statistics/counts.ts';
import type { StatisticsReport } from '#core/statistics/ports.ts';
import { statisticsDays } from './statistics-days.ts';
import type { DaySums } from './statistics-sums.ts';
import { sumDay } from './sum-day.ts';

/**
 * How many days after its acceptance a build may end. Its item belongs to the day of acceptance, so a report reads this
 * many days before its first one.
 */
const LATEST_END_DAYS = 14;

/** Returns reports that read roll-ups, and the items that are not in a roll-up yet. */
export function dynamoStatisticsReport(client: DynamoDBClient, table: string): StatisticsReport {
  const days = statisticsDays(client, table);

  async function* daySums(from: Date, until: Date, withDetails = false): AsyncGenerator<DaySums> {
    const first = dayOf(new Date(from.getTime() - LATEST_END_DAYS * 86_400_000).toISOString());
    for (const day of await days.between(first, dayOf(until.toISOString()))) yield sumDay(days, day, { withDetails });
  }

  return {
    async figures(by, from, until) {
      const keyOf = by === 'hour' ? hourOf : dayOf;
      const [first, last] = [keyOf(from.toISOString()), keyOf(until.toISOString())];
      const found = new Map<string, Figures>();
      for await (const { sums } of daySums(from, until))
        for (const [hour, figures] of Object.entries(sums.figures)) {
          const start = keyOf(hour);
          if (start < first || start > last) continue;
          found.set(start, sumOf([found.get(start) ?? [], figures].flat()));
        }
      return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([start, figures]) => ({ ...figures, start }));
    },

    async versions(from, until) {
      const [first, last] = [dayOf(from.toISOString()), dayOf(until.toISOString())];
      const counts = new Map<string, VersionCount>();
      for await (const { sums } of daySums(from, until))
        for (const [day, named] of Object.entries(sums.version)) {
          if (day < first || day > last) continue;
          for (const [version, count] of Object.entries(named)) {
            const key = `${day} ${version}`;
            counts.set(key, { day, version, count: (counts.get(key)?.count ?? 0) + count });
          }
        }
      return [...counts.values()];
    },

    async top(kind, from, until, { limit, branch }) {
      const [first, last] = [dayOf(from.toISOString()), dayOf(until.toISOString())];
      const counts = new Map<string, number>();
      for await (const day of daySums(from, until, kind === 'package'))
        for (const [group, named] of Object.entries(groupsOf(day, kind))) {
          const isWanted = dayOf(group) >= first && dayOf(group) <= last && (branch === undefined || group.slice(11) === branch);
          if (!isWanted) continue;
          for (const [name, count] of Object.entries(named)) counts.set(name, (counts.get(name) ?? 0) + count);
        }
      const byCount = (a: [string, number], b: [string, number]) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);
      return [...counts]
        .sort(byCount)
        .slice(0, limit)
        .map(([name, count]) => ({ name, count }));
    },

    async subjects(from, until, limit) {
      const [first, last] = [dayOf(from.toISOString()), dayOf(until.toISOString())];
      const counts = new Map<string, { requests: number; hits: number; failures: number }>();
      for await (const { details } of daySums(from, until, true))
        for (const [name, days] of [
          ['requests', details.request],
          ['hits', details.hit],
          ['failures', details.failure],
        ] as const)
          for (const [day, named] of Object.entries(days)) {
            if (day < first || day > last) continue;
            for (const [subject, count] of Object.entries(named)) {
              const sum = counts.get(subject) ?? { requests: 0, hits: 0, failures: 0 };
              sum[name] += count;
              counts.set(subject, sum);
            }
          }
      return [...counts]
        .sort(([a, one], [b, other]) => other.requests - one.requests || (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([name, sum]) => subjectCount(name, sum));
    },

    async errors(limit) {
      const errors: BuildError[] = [];
      const newestFirst = (await days.between('0', '9')).reverse();
      for (const day of newestFirst) {
        // Decided before the read: it reads one day more than seems needed, for builds that ended on the day after
        // their acceptance.
        const isEnough = errors.length >= limit;
        errors.push(...(await sumDay(days, day, { withDetails: true })).details.errors);
        if (isEnough) break;
      }
      return errors.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, limit);
    },
  };
}

const groupsOf = ({ sums, details }: DaySums, kind: RankedKind): Record<string, Record<string, number>> =>
  kind === 'package' ? details.package : sums[kind];
