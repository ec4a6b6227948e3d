import { createHash } from 'node:crypto';
import { type Figures, hourOf, type RequestCounts, type SubjectRequests } from '#core/statistics/counts.ts';
import type { Item } from '../builds/build-item.ts';
import { STATISTICS_TABLE } from '../resources.ts';
import { addClient, addFigures, addSubject, type DaySums } from './statistics-sums.ts';

const { rangeKey } = STATISTICS_TABLE;

/** Writers of an hour are spread over so many items: none of them is hot, and what each counts by name stays little. */
const SHARDS = 32;
/** Names of one item; more would make it larger than a kilobyte, and every write of it dear. The rest is counted together. */
const MAX_CLIENTS = 8;
const MAX_SUBJECTS = 6;
const OTHER_CLIENT = 'other/0';
const OTHER_SUBJECT = 'other - -';
const CLIENT = 'client ';
const REQUEST = 'request ';
const HIT = 'hit ';
const COUNTERS = ['hits', 'joined', 'rejected'] as const satisfies (keyof Figures)[];

/** What is added to one item. */
export interface RequestPart extends RequestCounts {
  /** Where the item is. */
  readonly place: string;
}

export const requestsOfDay = (day: string): string => `requests#${day}`;

/**
 * Where these counts are added to: each device has its item, and what has none goes by client. One request is one item; the many of
 * a process that sums them up are as many as their devices meet in.
 */
export function partsOf(counts: RequestCounts): RequestPart[] {
  const { at, clients, subjects } = counts;
  const shards = new Map<number, Record<string, SubjectRequests>>();
  for (const [name, requests] of Object.entries(subjects)) {
    const shard = shardOf(name);
    shards.set(shard, { ...shards.get(shard), [name]: requests });
  }
  if (shards.size === 0) shards.set(shardOf(Object.keys(clients)[0] ?? ''), {});
  const nothing = { hits: 0, joined: 0, rejected: 0, clients: {} };
  return [...shards].map(([shard, part], i) => ({
    ...(i === 0 ? counts : { at, ...nothing }),
    subjects: part,
    place: `${hourOf(at)}#${shard}`,
  }));
}

/** What these parts add up to; parts of the same counts. */
export const joinParts = (at: string, parts: readonly RequestPart[]): RequestCounts => {
  const sum = (name: (typeof COUNTERS)[number]) => parts.reduce((total, part) => total + part[name], 0);
  return {
    at,
    hits: sum('hits'),
    joined: sum('joined'),
    rejected: sum('rejected'),
    // No name is in two of them.
    clients: Object.assign({}, ...parts.map(({ clients }) => clients)),
    subjects: Object.assign({}, ...parts.map(({ subjects }) => subjects)),
  };
};

const shardOf = (name: string): number => createHash('sha256').update(name).digest().readUInt32BE() % SHARDS;

const namesOf = (item: Item, prefix: string): string[] =>
  Object.keys(item).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/** What an item tells apart by name. */
export interface KnownNames {
  readonly clients: ReadonlySet<string>;
  readonly subjects: ReadonlySet<string>;
}

export const NO_NAMES: KnownNames = { clients: new Set(), subjects: new Set() };

export const knownNames = (item: Item = {}): KnownNames => ({
  clients: new Set(namesOf(item, CLIENT)),
  subjects: new Set(namesOf(item, REQUEST)),
});

/** The one write that adds them; names beyond what the item, as last seen, has room for are counted together. */
export function addExpression({ clients, subjects, ...counts }: RequestCounts, known: KnownNames) {
  const sums = new Map<string, number>(COUNTERS.filter((name) => counts[name] > 0).map((name) => [name, counts[name]]));
  const add = (name: string, count: number) => void (count > 0 && sums.set(name, (sums.get(name) ?? 0) + count));
  const clientName = named(known.clients, MAX_CLIENTS, OTHER_CLIENT);
  for (const [client, count] of Object.entries(clients)) add(CLIENT + clientName(client), count);
  const subjectName = named(known.subjects, MAX_SUBJECTS, OTHER_SUBJECT);
  for (const [subject, { requests, hits }] of Object.entries(subjects)) {
    const name = subjectName(subject);
    add(REQUEST + name, requests);
    add(HIT + name, hits);
  }
  const names = [...sums.keys()];
  return {
    UpdateExpression: `ADD ${names.map((_, i) => `#n${i} :n${i}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#n${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(names.map((name, i) => [`:n${i}`, { N: String(sums.get(name)) }])),
  };
}

/** A name's own, as long as there is room for it. */
function named(known: ReadonlySet<string>, max: number, other: string): (name: string) => string {
  let room = max - known.size;
  return (name) => (known.has(name) || room-- > 0 ? name : other);
}

export function addRequests({ sums, details }: DaySums, item: Item): void {
  const hour = (item[rangeKey]?.S ?? '').split('#')[0] ?? '';
  const number = (name: string) => Number(item[name]?.N ?? 0);
  const figures = Object.fromEntries(COUNTERS.map((name) => [name, number(name)]));
  if (COUNTERS.some((name) => number(name) > 0)) addFigures(sums, hour, figures);
  for (const client of namesOf(item, CLIENT)) addClient(sums, hour, client, number(CLIENT + client));
  for (const subject of namesOf(item, REQUEST))
    addSubject(details, hour, subject, { requests: number(REQUEST + subject), hits: number(HIT + subject) });
}
