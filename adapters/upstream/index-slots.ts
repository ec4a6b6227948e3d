import { createHash } from 'node:crypto';
import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import type { RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { documentOf, packText, textOf, unpackText } from './packed-text.ts';
import { singleFlight } from './single-flight.ts';

/**
 * Access to the package indexes in the shared store. They lie beside the records that name them, and are found by
 * digest.
 */
export interface IndexSlots {
  /** Stores the index for the record at `key` and returns its digest. The index before it stays readable. */
  write(key: string, index: PackageIndex): Promise<string>;
  /** Returns the index with this digest, or `undefined` when it is no longer (or not yet) in the store. */
  read(key: string, digest: string): Promise<PackageIndex | undefined>;
}

/** The two slots of a record: for its current index, and for the one before, which some requests may still use. */
const SLOTS = ['index-a', 'index-b'] as const;
const MAX_TEXT_IN_MEMORY = 32 * 1024 * 1024;

/**
 * Returns access to the package indexes in a store of records. Indexes are stored apart from the records that name
 * them, because they are large and records are read all the time. A stored index has its digest with it, so a reader
 * never takes another index for its own. The keys are used again, so the store does not grow.
 */
export function indexSlots(records: RecordStore): IndexSlots {
  const memory = boundedMap<{ index: PackageIndex; size: number }>(MAX_TEXT_IN_MEMORY, ({ size }) => size);
  const flights = new Map<string, Promise<PackageIndex | undefined>>();

  async function fetchIndex(key: string, digest: string): Promise<PackageIndex | undefined> {
    for (const slot of SLOTS) {
      const packed = contentOf((await records.get(`${key}/${slot}`))?.body, digest);
      if (packed === undefined) continue;
      const text = await unpackText(packed);
      const index = revive((await documentOf(text)) as PackageIndex);
      memory.set(digest, { index, size: text.length });
      return index;
    }
    return undefined;
  }

  return {
    async write(key, index) {
      const text = await textOf(index);
      const digest = createHash('sha256').update(text).digest('hex');
      const stored = await Promise.all(SLOTS.map(async (slot) => ({ key: `${key}/${slot}`, found: await records.get(`${key}/${slot}`) })));
      if (stored.some(({ found }) => contentOf(found?.body, digest) !== undefined)) return digest;
      const oldest = stored.reduce((a, b) => (writtenAt(b.found?.body) < writtenAt(a.found?.body) ? b : a));
      const order = Math.max(...stored.map(({ found }) => writtenAt(found?.body))) + 1;
      // Another process may win this slot. Then it also wins the record, or the next refresh stores the missing index.
      await records.replace(oldest.key, `${order} ${digest} ${await packText(text)}`, oldest.found?.tag);
      return digest;
    },

    async read(key, digest) {
      return memory.get(digest)?.index ?? singleFlight(flights, `${key} ${digest}`, () => fetchIndex(key, digest));
    },
  };
}

const HEADER = /^(\d+) ([0-9a-f]{64}) /;

const writtenAt = (body: string | undefined): number => Number(HEADER.exec(body ?? '')?.[1] ?? 0);

/** Returns the packed index in a body, or `undefined` when its digest is another. */
function contentOf(body: string | undefined, digest: string): string | undefined {
  const [header, , found] = HEADER.exec(body ?? '') ?? [];
  return header !== undefined && found === digest ? (body ?? '').slice(header.length) : undefined;
}

/** Removes the prototypes of the maps in an index, because names such as `constructor` must not be found in them. */
function revive(index: PackageIndex): PackageIndex {
  Object.setPrototypeOf(index.target, null);
  Object.setPrototypeOf(index.feeds, null);
  return index;
}
