import type { PlainFile } from '#runner/files/plain-file.ts';

/** How far a file is written that another part of this process writes from its beginning to its end. */
export interface Growth {
  /**
   * Resolves with the length of the file when it is longer than `bytes`, or complete. Rejects with the signal's reason
   * when the signal aborts.
   */
  beyond(bytes: number, signal: AbortSignal): Promise<{ readonly bytes: number; readonly isComplete: boolean }>;
}

export interface GrowingFile extends Growth {
  grown(bytes: number): void;
  /** Called when the file has all its bytes. */
  complete(): void;
}

export function growingFile(): GrowingFile {
  let bytes = 0;
  let isComplete = false;
  let waiting: (() => void) | undefined;
  const wake = () => waiting?.();
  return {
    grown: (length) => {
      bytes = length;
      wake();
    },
    complete: () => {
      isComplete = true;
      wake();
    },
    beyond: async (wanted, signal) => {
      while (bytes <= wanted && !isComplete) {
        signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          waiting = resolve;
          signal.addEventListener('abort', wake, { once: true });
        });
        signal.removeEventListener('abort', wake);
      }
      signal.throwIfAborted();
      return { bytes, isComplete };
    },
  };
}

/** The growth of a file that is complete. */
export const completeFile: Growth = { beyond: async () => ({ bytes: Number.POSITIVE_INFINITY, isComplete: true }) };

const CHUNK_BYTES = 256 * 1024;

/** Yields the content of a file from its beginning, and waits where it is not written yet. */
export async function* contentOf(file: PlainFile, growth: Growth, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { bytes, isComplete } = await growth.beyond(at, signal);
    while (at < bytes) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
    if (isComplete) return;
  }
}
