import type { BuildOrder } from '#core/build/build-order.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { BUILD_TABLE } from '../resources.ts';
import type { Item } from './build-item.ts';
import { packOrder, unpackOrder } from './packed-order.ts';

/**
 * Nothing of a row names its order but the ticket, which is new for every claim: an order whose claim lost, or crashed before
 * its row was written, is never seen. The TTL clears it away; it is far longer than any build waits or is worked on.
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
