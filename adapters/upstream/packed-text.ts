import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const PACKED = 'zstd:';
/** Below this, compressing saves less than it costs; some stores take no record over 400 KB. */
const WORTH_PACKING = 4096;

/** Text made small for the record store; `unpackText` gives it back. */
export function packText(text: string): string {
  return text.length < WORTH_PACKING ? text : `${PACKED}${zstdCompressSync(text).toString('base64')}`;
}

export function unpackText(packed: string): string {
  if (!packed.startsWith(PACKED)) return packed;
  return zstdDecompressSync(Buffer.from(packed.slice(PACKED.length), 'base64')).toString();
}
