import { close, read } from 'node:fs';
import { promisify } from 'node:util';

/** How much one read in the thread pool fetches. */
const CHUNK_BYTES = 256 * 1024;

const readChunk = promisify(read);
const closeFile = promisify(close);

/** Returns a stream of bytes that are already in memory. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/**
 * Returns the bytes `start` to `end` (inclusive, not empty) of an open object as a stream. The stream owns the
 * descriptor, and closes it when it has been read to its end, fails, or is cancelled.
 */
export function objectBody(fd: number, start: number, end: number): ReadableStream<Uint8Array> {
  let position = start;
  let reading: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  // Only once, because a second close of the same number could close another file; and never during a read.
  const closeOnce = () => {
    closing ??= reading.then(
      () => closeFile(fd),
      () => closeFile(fd),
    );
    return closing;
  };

  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const size = Math.min(CHUNK_BYTES, end - position + 1);
          const chunk = readChunk(fd, Buffer.allocUnsafeSlow(size), 0, size, position);
          reading = chunk;
          const { bytesRead, buffer } = await chunk;
          if (closing) return; // cancelled meanwhile
          if (bytesRead === 0) throw new Error('An object file ended early');
          position += bytesRead;
          controller.enqueue(buffer.subarray(0, bytesRead));
          if (position <= end) return;
          await closeOnce();
          controller.close();
        } catch (error) {
          await closeOnce();
          throw error;
        }
      },
      cancel: closeOnce,
    },
    { highWaterMark: 0 },
  );
}
