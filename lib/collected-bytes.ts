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
