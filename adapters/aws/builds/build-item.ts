import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Build, Lease } from '#core/build/build.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { BUILD_TABLE } from '../resources.ts';

export type Item = Record<string, AttributeValue>;

type KeysOf<T> = T extends unknown ? keyof T : never;
/** The name of an attribute. `previousBinDirs` is stored as `left`, which earlier versions read. */
type Field = Exclude<KeysOf<Build>, 'lease' | 'previousBinDirs'> | 'left' | 'leaseOwner' | 'leaseEndsAt' | 'leaseSeconds';

/** The attribute type of every field of every state. The compiler reports a new field that is missing here. */
const TYPES = {
  hash: 'S',
  state: 'S',
  enqueuedAt: 'S',
  attempt: 'N',
  isPrivate: 'BOOL',
  correlationId: 'S',
  ticket: 'N',
  queuedAt: 'S',
  sentAt: 'S',
  lastFailure: 'S',
  startedAt: 'S',
  step: 'S',
  leaseOwner: 'S',
  leaseEndsAt: 'S',
  leaseSeconds: 'N',
  binDir: 'S',
  finishedAt: 'S',
  expiresAt: 'S',
  detail: 'S',
  cached: 'BOOL',
  upstreamChanged: 'BOOL',
  unpublishedAt: 'S',
  left: 'WORDS',
} as const satisfies Record<Field, 'S' | 'N' | 'BOOL' | 'WORDS'>;

const FIELDS = Object.keys(TYPES) as Field[];

/** The fields that only `claim` writes: the key, and the ticket, which a build keeps. */
const FIXED: readonly Field[] = ['hash', 'ticket'];
/** The fields that a transition sets or removes. */
export const MOVING_FIELDS: readonly Field[] = FIELDS.filter((field) => !FIXED.includes(field));

export const buildKey = (hash: RequestHash): Item => ({ [BUILD_TABLE.hashKey]: { S: hash }, [BUILD_TABLE.rangeKey]: { S: 'build' } });

/** Returns the attributes of a build, without those of the index and of expiry. */
export function itemOf(build: Build): Item {
  const { lease, previousBinDirs, ...rest } = build as Build & { lease?: Lease };
  const flat: Partial<Record<Field, unknown>> = {
    ...rest,
    left: previousBinDirs,
    ...(lease && { leaseOwner: lease.owner, leaseEndsAt: lease.expiresAt, leaseSeconds: lease.seconds }),
  };
  const item: Item = {};
  for (const field of FIELDS) {
    const value = flat[field];
    if (value === undefined) continue;
    if (TYPES[field] === 'BOOL') item[field] = { BOOL: value === true };
    else if (TYPES[field] === 'WORDS') item[field] = { S: (value as readonly string[]).join(' ') };
    else item[field] = TYPES[field] === 'N' ? { N: String(value) } : { S: String(value) };
  }
  return item;
}

export function buildOf(item: Item): Build {
  const flat: Partial<Record<Field, string | number | boolean | string[]>> = {};
  for (const field of FIELDS) {
    const value = item[field];
    if (value?.BOOL !== undefined) flat[field] = value.BOOL;
    else if (value?.N !== undefined) flat[field] = Number(value.N);
    else if (value?.S !== undefined) flat[field] = TYPES[field] === 'WORDS' ? value.S.split(' ') : value.S;
  }
  const { leaseOwner, leaseEndsAt, leaseSeconds, left, ...rest } = flat;
  const lease = { owner: leaseOwner, expiresAt: leaseEndsAt, ...(leaseSeconds !== undefined && { seconds: leaseSeconds }) };
  return {
    ...rest,
    ...(left !== undefined && { previousBinDirs: left }),
    ...(leaseOwner !== undefined && { lease }),
  } as unknown as Build;
}
