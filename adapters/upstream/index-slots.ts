import { createHash } from 'node:crypto';
import type { PackageIndex } from '#core/catalogue/catalogue.ts';
import type { RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { documentOf, packText, textOf, unpackText } from './packed-text.ts';
import { recordSlots } from './record-slots.ts';
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

const MAX_TEXT_IN_MEMORY = 32 * 1024 * 1024;

/**
 * Returns access to the package indexes in a store of records. Indexes are stored apart from the records that name
 * them, because they are large and records are read all the time.
 */
export function indexSlots(records: RecordStore): IndexSlots {
  const memory = boundedMap<{ index: PackageIndex; size: number }>(MAX_TEXT_IN_MEMORY, ({ size }) => size);
  const flights = new Map<string, Promise<PackageIndex | undefined>>();

  const slots = recordSlots(records, 'index');

  async function fetchIndex(key: string, digest: string): Promise<PackageIndex | undefined> {
    const packed = await slots.read(key, digest);
    if (packed === undefined) return undefined;
    const text = await unpackText(packed);
    const index = revive((await documentOf(text)) as PackageIndex);
    memory.set(digest, { index, size: text.length });
    return index;
  }

  return {
    async write(key, index) {
      const text = await textOf(index);
      const digest = createHash('sha256').update(text).digest('hex');
      await slots.write(key, digest, () => packText(text));
      return digest;
    },

    async read(key, digest) {
      return memory.get(digest)?.index ?? singleFlight(flights, `${key} ${digest}`, () => fetchIndex(key, digest));
    },
  };
}

/** Removes the prototypes of the maps in an index, because names such as `constructor` must not be found in them. */
function revive(index: PackageIndex): PackageIndex {
  Object.setPrototypeOf(index.target, null);
  Object.setPrototypeOf(index.feeds, null);
  return index;
}
