import { createHash } from 'node:crypto';
import type { RequestCounts } from '#core/statistics.ts';
import { type Figures, hourOf } from '#core/statistics.ts';
import type { Item } from './build-item.ts';
import { STATISTICS_TABLE } from './resources.ts';
import { addClient, addFigures, type Sums } from './statistics-sums.ts';

const { rangeKey } = STATISTICS_TABLE;

/** Writers of an hour are spread over so many items: none of them is hot. */
const SHARDS = 8;
/** Clients of one item; more would make it, and every write of it, dear. */
const MAX_CLIENTS = 24;
const OTHER = 'other/0';
const PREFIX = 'client ';
const COUNTERS = ['hits', 'joined', 'rejected'] as const satisfies (keyof Figures)[];

export const requestsOfDay = (day: string): string => `requests#${day}`;

/** Where these counts are added to: calls with the same first client meet in one item, so that its clients stay few. */
export function shardOf({ at, clients }: RequestCounts): string {
  const [first = ''] = Object.keys(clients);
  return `${hourOf(at)}#${createHash('sha256').update(first).digest().readUInt32BE() % SHARDS}`;
}

export const clientsOf = (item: Item | undefined): Set<string> =>
  new Set(
    Object.keys(item ?? {})
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length)),
  );

/** The one write that adds them; clients beyond what the item, as last seen, has room for are counted together. */
export function addExpression({ clients, ...counts }: RequestCounts, known: ReadonlySet<string>) {
  const sums = new Map<string, number>(COUNTERS.filter((name) => counts[name] > 0).map((name) => [name, counts[name]]));
  let room = MAX_CLIENTS - known.size;
  for (const [client, count] of Object.entries(clients)) {
    const isKnown = known.has(client) || room-- > 0;
    const name = PREFIX + (isKnown ? client : OTHER);
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  const names = [...sums.keys()];
  return {
    UpdateExpression: `ADD ${names.map((_, i) => `#n${i} :n${i}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#n${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(names.map((name, i) => [`:n${i}`, { N: String(sums.get(name)) }])),
  };
}

export function addRequests(sums: Sums, item: Item): void {
  const hour = (item[rangeKey]?.S ?? '').split('#')[0] ?? '';
  const number = (name: string) => Number(item[name]?.N ?? 0);
  const figures = Object.fromEntries(COUNTERS.map((name) => [name, number(name)]));
  if (COUNTERS.some((name) => number(name) > 0)) addFigures(sums, hour, figures);
  for (const client of clientsOf(item)) addClient(sums, hour, client, number(PREFIX + client));
}
