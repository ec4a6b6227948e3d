import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { BUILD_TABLE } from '../resources.ts';
import type { Item } from './build-item.ts';

/**
 * How long an order is kept: far longer than any build waits or runs. A row names its order only by the ticket, and
 * each claim gets a new ticket. When a claim loses, or its process crashes before it writes the row, no process reads
 * the order, and the TTL removes it.
 */
const ORDER_TTL_SECONDS = 90 * 86_400;

export const orderKey = (hash: RequestHash, ticket: number): Item => ({
  [BUILD_TABLE.hashKey]: { S: hash },
  [BUILD_TABLE.rangeKey]: { S: `order#${ticket}` },
});

export const orderItem = (ticket: number, order: BuildOrder, hash: RequestHash, now: Date): Item => ({
  ...orderKey(hash, ticket),
  body: { B: packOrder(order) },
  [BUILD_TABLE.ttlAttribute]: { N: String(Math.ceil(now.getTime() / 1000) + ORDER_TTL_SECONDS) },
});

export const orderOf = (item: Item): BuildOrder => unpackOrder(item['body']?.B ?? new Uint8Array());

/** The compression settings. A higher quality takes ten milliseconds and more for an order, and saves little. */
const PACKING = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

const DIGEST = /[0-9a-f]{64}/g;
const DIGEST_BYTES = 32;
/**
 * The length of the number of digests. One byte is too short: clients may send hundreds of package names that look like
 * digests.
 */
const HEAD_BYTES = 2;
/** The character that stands for a digest. JSON text cannot contain it: in a string it is written as an escape. */
const MARK = '\u0001';

/**
 * Returns an order in as few bytes as possible, because a write unit pays for one kilobyte: an order from owut that
 * lists a hundred packages with their versions needs two. Names of packages are written once, digests as bytes before
 * the text, and the text is compressed.
 */
export function packOrder({ request: { packages, packages_versions: versions, ...request }, ...order }: BuildOrder): Buffer {
  const named = new Set(packages);
  const inOrder = packages.map((name) => (Object.hasOwn(versions, name) ? versions[name] : null));
  const others = Object.fromEntries(Object.entries(versions).filter(([name]) => !named.has(name)));
  const digests: string[] = [];
  const text = JSON.stringify({ ...order, request, packages: packages.join(' '), versions: inOrder, others }).replace(DIGEST, (digest) => {
    digests.push(digest);
    return MARK;
  });
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(digests.length);
  return Buffer.concat([head, Buffer.from(digests.join(''), 'hex'), brotliCompressSync(text, PACKING)]);
}

export function unpackOrder(bytes: Uint8Array): BuildOrder {
  const packed = Buffer.from(bytes);
  const textAt = HEAD_BYTES + packed.readUInt16BE() * DIGEST_BYTES;
  const digests = packed.toString('hex', HEAD_BYTES, textAt).match(DIGEST) ?? [];
  const text = brotliDecompressSync(packed.subarray(textAt)).toString('utf8');
  const { request, packages, versions, others, ...order } = JSON.parse(text.replaceAll(MARK, () => digests.shift() ?? ''));
  const names: string[] = packages === '' ? [] : packages.split(' ');
  const inOrder = names.flatMap((name, i) => (versions[i] === null ? [] : [[name, versions[i]]]));
  const packages_versions = { ...Object.fromEntries(inOrder), ...others };
  return { ...order, request: { ...request, packages: names, packages_versions } };
}
