import type { Clock } from '#core/stores.ts';
import { type BuildError, type Figures, NO_FIGURES, requestsOf, type VersionCount } from './counts.ts';
import type { StatisticsReport } from './ports.ts';

interface ReportDeps {
  readonly report: StatisticsReport;
  readonly now: Clock;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As in the charts of the reference server (asu/routers/stats.py). */
export const CHART_DAYS = 30;
const CHART_WEEKS = 26;

/** The data of one chart, in the shape of chart.js. */
export interface Chart {
  /** Days, `2026-11-20Z`. */
  readonly labels: readonly string[];
  readonly datasets: readonly { readonly label: string; readonly data: readonly number[]; readonly color?: string }[];
}

/** Returns how many builds succeeded in the last 24 hours, counted from the beginning of an hour. */
export async function countBuildsOfLastDay({ report, now }: ReportDeps): Promise<number> {
  const until = now();
  const hours = await report.figures('hour', new Date(until.getTime() - DAY_MS), until);
  return hours.reduce((sum, { successes }) => sum + successes, 0);
}

/** Returns the last thirty days up to today, oldest first, each with its figures or zeros. */
export async function readFiguresByDay({ report, now }: ReportDeps): Promise<(Figures & { day: string })[]> {
  const days = lastDays(now(), CHART_DAYS);
  const known = new Map((await report.figures('day', startOf(days[0]), now())).map((figures) => [figures.start, figures]));
  return days.map((day) => ({ ...(known.get(day) ?? NO_FIGURES), day }));
}

/** Returns the body of `/api/v1/builds-per-day`. */
export function buildsPerDay(days: readonly (Figures & { day: string })[]): Chart {
  const dataset = (label: string, color: string, of: (figures: Figures) => number) => ({ label, data: days.map(of), color });
  return {
    labels: days.map(({ day }) => `${day}Z`),
    datasets: [
      dataset('Requests', 'green', requestsOf),
      dataset('Cache-Hits', 'orange', ({ hits }) => hits),
      dataset('Failures', 'red', ({ failures }) => failures),
    ],
  };
}

/** Returns the successful builds of the 26 weeks that end with today. */
export async function readVersionsOfHalfYear({
  report,
  now,
}: ReportDeps): Promise<{ days: readonly string[]; counts: readonly VersionCount[] }> {
  const days = lastDays(now(), CHART_WEEKS * 7);
  return { days, counts: await report.versions(startOf(days[0]), now()) };
}

/**
 * Returns the body of `/api/v1/builds-by-version`: a week per bucket, the last of which ends with today. Without
 * `branch` the builds are grouped by series (the first five characters of a version with a dot), with it by the
 * versions that begin so.
 */
export function buildsByVersion({ days, counts }: { days: readonly string[]; counts: readonly VersionCount[] }, branch?: string): Chart {
  const place = new Map(days.map((day, i) => [day, i]));
  const data = new Map<string, number[]>();
  for (const { day, version, count } of counts) {
    const week = Math.floor((place.get(day) ?? Number.NaN) / 7);
    if (Number.isNaN(week) || (branch !== undefined && !version.startsWith(branch))) continue;
    const label = branch === undefined && version.includes('.') ? version.slice(0, 5) : version;
    const weeks = data.get(label) ?? Array.from({ length: CHART_WEEKS }, () => 0);
    weeks[week] = (weeks[week] ?? 0) + count;
    data.set(label, weeks);
  }
  return {
    labels: days.filter((_, i) => i % 7 === 0).map((day) => `${day}Z`),
    datasets: [...data].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, weeks]) => ({ label, data: weeks })),
  };
}

/** Returns the body of `/api/v1/build-errors`: plain text, newest first. */
export function buildErrorsText(errors: readonly BuildError[]): string {
  const [newest, oldest] = [errors[0], errors.at(-1)];
  if (newest === undefined || oldest === undefined) return 'No build errors recorded.';
  return [
    `Build Errors: ${errors.length} entries`,
    `Time range: ${plainTime(oldest.at)} to ${plainTime(newest.at)}`,
    '',
    'Recent errors:',
    '-'.repeat(60),
    ...errors.map(({ at, version, target, profile, message }) => `${plainTime(at)} ${version}:${target}:${profile} ${message}`),
  ].join('\n');
}

/** Returns the time as `YYYY-MM-DD HH:MM:SS` in UTC. */
export const plainTime = (time: string): string => time.slice(0, 19).replace('T', ' ');

/** Returns the days (UTC) up to and including today, oldest first. */
function lastDays(now: Date, count: number): string[] {
  return Array.from({ length: count }, (_, i) => new Date(now.getTime() - (count - 1 - i) * DAY_MS).toISOString().slice(0, 10));
}

const startOf = (day: string | undefined) => new Date(`${day}T00:00:00.000Z`);
