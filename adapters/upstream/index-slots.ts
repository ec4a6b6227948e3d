import { createHash } from 'node:crypto';
import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import type { RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { documentOf, packText, textOf, unpackText } from './packed-text.ts';
import { singleFlight } from './single-flight.ts';

/** Package indexes in the shared store, found by digest, beside the records that name them. */
export interface IndexSlots {
  /** Stores the index for the record at `key` and answers its digest. The index stored before it stays readable. */
  write(key: string, index: PackageIndex): Promise<string>;
  /** The index with this digest; `undefined` when it is no longer (or not yet) there. */
  read(key: string, digest: string): Promise<PackageIndex | undefined>;
}

/** Two: the index of the record as it is, and that of the one before, which requests may still be working with. */
const SLOTS = ['index-a', 'index-b'] as const;
const MAX_TEXT_IN_MEMORY = 32 * 1024 * 1024;

/**
 * Indexes are large and records are read all the time, so they are kept apart. A body says which digest it is, so a reader never
 * takes another index for its own; keys are reused, so the store does not grow.
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
      // Losing the slot to another process is fine: then it also wins the record, or the next refresh writes what is missing.
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

/** What is stored, packed, where it is the index with this digest. */
function contentOf(body: string | undefined, digest: string): string | undefined {
  const [header, , found] = HEADER.exec(body ?? '') ?? [];
  return header !== undefined && found === digest ? (body ?? '').slice(header.length) : undefined;
}

/** Names are looked up in it, so it has no prototype. */
function revive(index: PackageIndex): PackageIndex {
  Object.setPrototypeOf(index.target, null);
  Object.setPrototypeOf(index.feeds, null);
  return index;
}
