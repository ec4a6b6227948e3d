import { createHash } from 'node:crypto';
import { type Figures, hourOf, type RequestCounts, type SubjectRequests } from '#core/statistics/counts.ts';
import type { Item } from '../builds/build-item.ts';
import { STATISTICS_TABLE } from '../resources.ts';
import { addClient, addFigures, addSubject, type DaySums } from './statistics-sums.ts';

const { rangeKey } = STATISTICS_TABLE;

/** The items over which the writers of an hour are spread, so that no item is hot and each has few names. */
const SHARDS = 32;
/**
 * The most names in one item. More would make it larger than a kilobyte, and every write expensive. Further names are
 * counted together.
 */
const MAX_CLIENTS = 8;
const MAX_SUBJECTS = 6;
const OTHER_CLIENT = 'other/0';
const OTHER_SUBJECT = 'other - -';
const CLIENT = 'client ';
const REQUEST = 'request ';
const HIT = 'hit ';
const COUNTERS = ['hits', 'joined', 'rejected'] as const satisfies (keyof Figures)[];

/** The counts that are added to one item. */
export interface RequestPart extends RequestCounts {
  /** The range key of the item. */
  readonly place: string;
}

export const requestsOfDay = (day: string): string => `requests#${day}`;

/**
 * Returns these counts, divided among the items to which they are added. The name of a device decides its item; counts
 * without a device go to the item of a client. One request is one item. The sums of a process are as many items as
 * their devices fall into.
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

/** Returns the sum of some parts of the same counts. */
export const joinParts = (at: string, parts: readonly RequestPart[]): RequestCounts => {
  const sum = (name: (typeof COUNTERS)[number]) => parts.reduce((total, part) => total + part[name], 0);
  return {
    at,
    hits: sum('hits'),
    joined: sum('joined'),
    rejected: sum('rejected'),
    // No name is in two parts.
    clients: Object.assign({}, ...parts.map(({ clients }) => clients)),
    subjects: Object.assign({}, ...parts.map(({ subjects }) => subjects)),
  };
};

const shardOf = (name: string): number => createHash('sha256').update(name).digest().readUInt32BE() % SHARDS;

const namesOf = (item: Item, prefix: string): string[] =>
  Object.keys(item).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/** The names that an item counts separately. */
export interface KnownNames {
  readonly clients: ReadonlySet<string>;
  readonly subjects: ReadonlySet<string>;
}

export const NO_NAMES: KnownNames = { clients: new Set(), subjects: new Set() };

export const knownNames = (item: Item = {}): KnownNames => ({
  clients: new Set(namesOf(item, CLIENT)),
  subjects: new Set(namesOf(item, REQUEST)),
});

/** Returns the write that adds the counts. Names for which the item, as last read, has no room are counted together. */
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

/** Returns a function that gives a name itself while there is room for it, and then `other`. */
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
