/** The beginning of a process's output, however small the pieces in which it comes. */
export interface CollectedOutput {
  add(chunk: Buffer): void;
  text(): string;
}

/**
 * Returns a collector with one growing buffer. A list of chunks would take hundreds of bytes for each byte that comes
 * alone.
 */
export function collectedOutput(): CollectedOutput {
  let buffer = Buffer.allocUnsafeSlow(4096);
  let length = 0;
  return {
    add: (chunk) => {
      if (length + chunk.length > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(2 * buffer.length, length + chunk.length));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      chunk.copy(buffer, length);
      length += chunk.length;
    },
    text: () => buffer.toString('utf8', 0, length),
  };
}
