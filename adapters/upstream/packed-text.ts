import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { readJson } from '#lib/read-json.ts';
import { writeJson } from '#lib/write-json.ts';
import { inSlices } from './in-slices.ts';

const PACKED = 'zstd:';
/** The length from which text is compressed: less is not worth the time. A record that is read often is better short. */
const WORTH_PACKING = 4096;

/** Options for large parts, because each part costs a turn of the event loop. */
const IN_LARGE_PARTS = { chunkSize: 1024 * 1024 };

/** Returns text in a shorter form for the record store. `unpackText` reverses it. */
export async function packText(text: string): Promise<string> {
  return text.length < WORTH_PACKING ? text : `${PACKED}${(await promisify(zstdCompress)(text, IN_LARGE_PARTS)).toString('base64')}`;
}

export async function unpackText(packed: string): Promise<string> {
  if (!packed.startsWith(PACKED)) return packed;
  return (await promisify(zstdDecompress)(Buffer.from(packed.slice(PACKED.length), 'base64'), IN_LARGE_PARTS)).toString();
}

/** Returns bytes as text for the record store, compressed. `unpackBytes` reverses it. */
export const packBytes = async (bytes: Uint8Array): Promise<string> =>
  (await promisify(zstdCompress)(bytes, IN_LARGE_PARTS)).toString('base64');

/** Returns at most `maxBytes` bytes of packed text. It throws for text that is longer, or none that was packed. */
export const unpackBytes = (packed: string, maxBytes: number): Promise<Uint8Array> =>
  promisify(zstdDecompress)(Buffer.from(packed, 'base64'), { ...IN_LARGE_PARTS, maxOutputLength: maxBytes });

/** Returns the JSON text of a document, written in slices. */
export const textOf = async (document: object): Promise<string> => (await inSlices(writeJson(document))) ?? '';

/** Returns a stored document from its text, read in slices. Its size was checked before it was stored. */
export const documentOf = (text: string): Promise<unknown> => inSlices(readJson(text, STORED_LIMITS));

const STORED_LIMITS = { maxDepth: 128, maxValues: Number.POSITIVE_INFINITY };
