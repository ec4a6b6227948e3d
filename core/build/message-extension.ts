import type { Monotonic } from '#core/stores.ts';
import type { BuildQueue, ReceivedMessage } from './ports.ts';

export interface MessageExtensionDeps {
  readonly queue: BuildQueue;
  readonly monotonic: Monotonic;
}

export interface MessageExtension {
  /** When the last extension began that succeeded, by the monotonic clock. */
  extendedAt(): number;
  /** Keeps the message hidden from other runners. A failure is left to the next call. */
  extend(): void;
  /** Settles when every extension is answered. */
  settled(): Promise<unknown>;
}

/** Keeps the message of a running build hidden for so many seconds after each call. */
export function messageExtension({ queue, monotonic }: MessageExtensionDeps, message: ReceivedMessage, seconds: number): MessageExtension {
  let extendedAt = monotonic();
  let extending: Promise<unknown> = Promise.resolve();
  return {
    extendedAt: () => extendedAt,
    extend: () => {
      const begunAt = monotonic();
      const extended = queue.extend(message, seconds).then(() => {
        extendedAt = Math.max(extendedAt, begunAt);
      });
      extending = Promise.allSettled([extending, extended]);
    },
    settled: () => extending,
  };
}
