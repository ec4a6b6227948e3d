import type { RecordStore } from '#core/stores.ts';

/** What is stored beside a record, and found by its digest. */
export interface RecordSlots {
  /** Stores the content that has this digest, unless it is there. What was stored before it stays readable. */
  write(key: string, digest: string, content: () => Promise<string>): Promise<void>;
  /** Returns the content with this digest, or `undefined` when it is no longer (or not yet) in the store. */
  read(key: string, digest: string): Promise<string | undefined>;
}

/**
 * Returns two slots for each key: for the current content, and for the one before, which some requests may still use.
 * The content has its digest with it, so a reader never takes another one for its own. The slots are used again, so the
 * store does not grow. `kind` is the last part of their keys, before `-a` and `-b`.
 */
export function recordSlots(records: RecordStore, kind: string): RecordSlots {
  const placesOf = (key: string): string[] => [`${key}/${kind}-a`, `${key}/${kind}-b`];
  return {
    async write(key, digest, content) {
      const stored = await Promise.all(placesOf(key).map(async (place) => ({ place, found: await records.get(place) })));
      if (stored.some(({ found }) => contentOf(found?.body, digest) !== undefined)) return;
      const oldest = stored.reduce((a, b) => (writtenAt(b.found?.body) < writtenAt(a.found?.body) ? b : a));
      const order = Math.max(...stored.map(({ found }) => writtenAt(found?.body))) + 1;
      // Another process may win this slot. Then its content is as good, or the next write stores the missing one.
      await records.replace(oldest.place, `${order} ${digest} ${await content()}`, oldest.found?.tag);
    },

    async read(key, digest) {
      for (const place of placesOf(key)) {
        const content = contentOf((await records.get(place))?.body, digest);
        if (content !== undefined) return content;
      }
      return undefined;
    },
  };
}

const HEADER = /^(\d+) ([0-9a-f]{64}) /;

const writtenAt = (body: string | undefined): number => Number(HEADER.exec(body ?? '')?.[1] ?? 0);

/** Returns the content of a body, or `undefined` when its digest is another. */
function contentOf(body: string | undefined, digest: string): string | undefined {
  const [header, , found] = HEADER.exec(body ?? '') ?? [];
  return header !== undefined && found === digest ? (body ?? '').slice(header.length) : undefined;
}
