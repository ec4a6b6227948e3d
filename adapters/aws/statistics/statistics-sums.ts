import {
  type BuildEnd,
  type BuildError,
  dayOf,
  type Figures,
  hourOf,
  NO_FIGURES,
  type SubjectRequests,
  subjectName,
} from '#core/statistics/counts.ts';

type Counts = Record<string, number>;

/** The sums of events. Plain data, because it is stored as JSON. */
export interface Sums {
  /** By hour. */
  readonly figures: Record<string, { -readonly [name in keyof Figures]: number }>;
  /** By day. */
  readonly version: Record<string, Counts>;
  readonly target: Record<string, Counts>;
  readonly client: Record<string, Counts>;
}

/** The part of the sums that is large and seldom needed. */
export interface Details {
  /** By day and branch: `2026-11-20 24.10`. */
  readonly package: Record<string, Counts>;
  /** By day and subject (`subjectName`): requests, the hits among them, and failed builds. */
  readonly request: Record<string, Counts>;
  readonly hit: Record<string, Counts>;
  readonly failure: Record<string, Counts>;
  readonly errors: BuildError[];
}

export interface DaySums {
  readonly sums: Sums;
  readonly details: Details;
}

export const noSums = (): Sums => ({ figures: {}, version: {}, target: {}, client: {} });
export const noDetails = (): Details => ({ package: {}, request: {}, hit: {}, failure: {}, errors: [] });

const OUTCOMES = { success: 'successes', failure: 'failures', cancelled: 'cancelled' } as const;

function add(counts: Record<string, Counts>, group: string, name: string, count: number): void {
  counts[group] ??= {};
  const named = counts[group];
  named[name] = (named[name] ?? 0) + count;
}

export function addFigures({ figures }: Sums, time: string, more: Partial<Figures>): void {
  const hour = hourOf(time);
  figures[hour] ??= { ...NO_FIGURES };
  const sum = figures[hour];
  for (const name of Object.keys(NO_FIGURES) as (keyof Figures)[]) sum[name] += more[name] ?? 0;
}

export const addClient = ({ client }: Sums, time: string, name: string, count: number): void => add(client, dayOf(time), name, count);

export function addSubject({ request, hit }: Details, time: string, name: string, { requests, hits }: SubjectRequests): void {
  add(request, dayOf(time), name, requests);
  if (hits > 0) add(hit, dayOf(time), name, hits);
}

export function addEnd({ sums, details }: DaySums, { endedAt, outcome, milliseconds, subject, packages, error }: BuildEnd): void {
  addFigures(sums, endedAt, { [OUTCOMES[outcome]]: 1, buildMilliseconds: Math.round(milliseconds) });
  if (subject === undefined) return;
  const { branch, version, target, profile } = subject;
  if (outcome === 'success') {
    add(sums.version, dayOf(endedAt), version, 1);
    add(sums.target, dayOf(endedAt), target, 1);
    for (const name of packages) add(details.package, `${dayOf(endedAt)} ${branch}`, name, 1);
  }
  if (outcome === 'failure') add(details.failure, dayOf(endedAt), subjectName(subject), 1);
  if (error !== undefined) details.errors.push({ at: endedAt, version, target, profile, message: error });
}
