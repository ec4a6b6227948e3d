/** The bytes that came so far, however small the pieces in which they come. */
export interface CollectedBytes {
  readonly size: number;
  add(piece: Uint8Array): void;
  bytes(): Buffer<ArrayBuffer>;
}

const SMALLEST = 4 * 1024;
const LARGEST = 64 * 1024;

/**
 * Blocks that the pieces are copied into. A list of the pieces would take hundreds of bytes for each byte that comes alone, so a limit on
 * the bytes alone would not limit the memory.
 */
export function collectedBytes(): CollectedBytes {
  const full: Buffer[] = [];
  let block = Buffer.allocUnsafeSlow(SMALLEST);
  let used = 0;
  let size = 0;
  return {
    get size() {
      return size;
    },
    add: (piece) => {
      for (let at = 0; at < piece.length; ) {
        if (used === block.length) {
          full.push(block);
          block = Buffer.allocUnsafeSlow(Math.min(LARGEST, Math.max(SMALLEST, size)));
          used = 0;
        }
        const room = block.length - used;
        const part = at === 0 && piece.length <= room ? piece : piece.subarray(at, at + room);
        block.set(part, used);
        used += part.length;
        size += part.length;
        at += part.length;
      }
    },
    bytes: () => Buffer.concat([...full, block.subarray(0, used)]),
  };
}

/**
 * Returns all bytes of a body. Throws what `tooLong` returns as soon as there are more than `maxBytes`, and what the body
 * throws. `onPiece` is called with each piece that fits.
 */
export async function collectAtMost(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
  tooLong: () => Error,
  onPiece?: (piece: Uint8Array) => void,
): Promise<Buffer<ArrayBuffer>> {
  const collected = collectedBytes();
  for await (const piece of body ?? []) {
    if (collected.size + piece.length > maxBytes) throw tooLong();
    onPiece?.(piece);
    collected.add(piece);
  }
  return collected.bytes();
}
