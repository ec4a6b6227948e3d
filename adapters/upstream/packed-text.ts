import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { readJson } from '#lib/read-json.ts';
import { writeJson } from '#lib/write-json.ts';
import { inSlices } from './in-slices.ts';

const PACKED = 'zstd:';
/** Below this, compressing saves less than it costs; some stores take no record over 400 KB. */
const WORTH_PACKING = 4096;

/** Each part costs a turn of the event loop. */
const IN_LARGE_PARTS = { chunkSize: 1024 * 1024 };

/** Text made small for the record store; `unpackText` gives it back. */
export async function packText(text: string): Promise<string> {
  return text.length < WORTH_PACKING ? text : `${PACKED}${(await promisify(zstdCompress)(text, IN_LARGE_PARTS)).toString('base64')}`;
}

export async function unpackText(packed: string): Promise<string> {
  if (!packed.startsWith(PACKED)) return packed;
  return (await promisify(zstdDecompress)(Buffer.from(packed.slice(PACKED.length), 'base64'), IN_LARGE_PARTS)).toString();
}

/** Text of a document of ours, made without keeping the process from others. */
export const textOf = async (document: object): Promise<string> => (await inSlices(writeJson(document))) ?? '';

/** A document of ours from its text. It has been within limits when it was stored. */
export const documentOf = (text: string): Promise<unknown> => inSlices(readJson(text, OURS));

const OURS = { maxDepth: 128, maxValues: Number.POSITIVE_INFINITY };
