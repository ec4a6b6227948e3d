import type { RecordStore } from '#core/stores.ts';

/**
 * Knows which ImageBuilders write ABI suffixes behind the words of a request (`addsAbi` of a question). Runners find it out,
 * and every process reads it. The answer for an ImageBuilder, which its digest names, never changes.
 */
export interface ImagebuilderAbi {
  /** Notes what a runner has found. */
  note(sha256: string, addsAbi: boolean): Promise<void>;
  /** Returns what is known; `undefined`: no build with this ImageBuilder has ended well so far. */
  addsAbi(sha256: string): Promise<boolean | undefined>;
}

/** A record of another format counts as absent. */
const FORMAT = 1;

const keyOf = (sha256: string): string => `imagebuilders/${sha256}`;

/** Returns the knowledge in a store of records. It writes each record once, without reading it. */
export const imagebuilderAbi = (records: RecordStore): ImagebuilderAbi => ({
  note: async (sha256, addsAbi) =>
    void (await records.replace(keyOf(sha256), JSON.stringify({ format: FORMAT, adds_abi: addsAbi }), undefined)),
  addsAbi: async (sha256) => {
    const found = await records.get(keyOf(sha256));
    return found === undefined ? undefined : read(found.body);
  },
});

function read(body: string): boolean | undefined {
  try {
    const { format, adds_abi: addsAbi } = Object(JSON.parse(body)) as { readonly format?: unknown; readonly adds_abi?: unknown };
    return format === FORMAT && typeof addsAbi === 'boolean' ? addsAbi : undefined;
  } catch {
    return undefined;
  }
}
