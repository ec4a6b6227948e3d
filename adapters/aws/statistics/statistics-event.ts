import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { RequestHash } from '#core/request/request-hash.ts';
import { type BuildEnd, COUNTED_BUILD_DAYS, type CountedBuild, dayOf } from '#core/statistics/counts.ts';
import type { Item } from '../builds/build-item.ts';
import { STATISTICS_TABLE } from '../resources.ts';

const { hashKey, rangeKey, ttlAttribute } = STATISTICS_TABLE;

/** How long events are kept: longer than core needs counted builds, so that the last roll-up still finds them. */
const TTL_SECONDS = (COUNTED_BUILD_DAYS + 5) * 86_400;

export const eventsOf = (day: string): string => `builds#${day}`;

/**
 * Returns the key of a build's item. A build that is reported twice is still one item. The key has the build and the
 * time of its miss.
 */
export const eventKey = ({ hash, enqueuedAt }: CountedBuild): Item => ({
  [hashKey]: { S: eventsOf(dayOf(enqueuedAt)) },
  [rangeKey]: { S: `${enqueuedAt}#${hash}` },
});

export const eventTtl = ({ enqueuedAt }: CountedBuild): Item => ({
  [ttlAttribute]: { N: String(Math.ceil(Date.parse(enqueuedAt) / 1000) + TTL_SECONDS) },
});

export function countedOf(item: Item): CountedBuild {
  const [enqueuedAt = '', hash = ''] = (item[rangeKey]?.S ?? '').split('#');
  return { enqueuedAt, hash: hash as RequestHash };
}

/** Returns the attributes of a build's end, which are short, because a write unit pays for one kilobyte. */
export const endAttributes = ({ endedAt, outcome, milliseconds, subject, packages, error }: BuildEnd): Item => ({
  endedAt: { S: endedAt },
  outcome: { S: outcome },
  milliseconds: { N: String(Math.round(milliseconds)) },
  ...(subject && { subject: { S: JSON.stringify(subject) } }),
  ...(packages.length > 0 && { packages: packed(packages) }),
  ...(error !== undefined && { failure: { S: error } }),
});

/** Returns the end of a build, or `undefined` when it has not ended. */
export function endOf(item: Item): BuildEnd | undefined {
  const { endedAt, outcome, milliseconds, subject, packages, failure } = item;
  if (endedAt?.S === undefined) return undefined;
  return {
    ...countedOf(item),
    endedAt: endedAt.S,
    outcome: outcome?.S as BuildEnd['outcome'],
    milliseconds: Number(milliseconds?.N ?? 0),
    ...(subject?.S !== undefined && { subject: JSON.parse(subject.S) }),
    packages: unpacked(packages),
    ...(failure?.S !== undefined && { error: failure.S }),
  };
}

/**
 * The longest list of packages that is stored as text. A list of everything that is installed would need a second write
 * unit.
 */
const MAX_PLAIN_LENGTH = 300;

function packed(packages: readonly string[]): AttributeValue {
  const text = packages.join(' ');
  return text.length <= MAX_PLAIN_LENGTH ? { S: text } : { B: brotliCompressSync(text) };
}

function unpacked(packages: AttributeValue | undefined): readonly string[] {
  const text = packages?.B === undefined ? packages?.S : brotliDecompressSync(packages.B).toString('utf8');
  return text?.split(' ') ?? [];
}
