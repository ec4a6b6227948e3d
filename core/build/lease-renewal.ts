import type { Monotonic } from '#core/stores.ts';
import type { MessageExtension } from './message-extension.ts';
import type { RowWriter } from './row-writer.ts';

export interface LeaseRenewalDeps {
  readonly monotonic: Monotonic;
  /** Calls back every so many milliseconds until stopped. */
  readonly every: (ms: number, call: () => void) => () => void;
  /**
   * A row that was written less than this ago needs no renewal; for tables that are paid by the write. Default: the row
   * is renewed every third of the lease.
   */
  readonly renewAfterSeconds?: number;
}

/** How many times a failing renewal can be tried before the lease ends, where the lease is renewed late. */
const RENEWAL_CHANCES = 5;
/**
 * The part of the time between two chances after which an unanswered write is given up; less than all, since timers may
 * be early.
 */
const GIVE_UP_AFTER = 0.9;

/**
 * Renews the lease and extends the message in time, until stopped; returns how to stop. A write that fails, or is not
 * answered, is tried again at the next chance. When no write has succeeded for as long as the lease lasts, another
 * runner may have the build, and `lost` aborts. That is not so before a write was tried: a machine that slept may find
 * its row still its own.
 */
export function renewLease(
  { monotonic, every, renewAfterSeconds }: LeaseRenewalDeps,
  leaseSeconds: number,
  { writer, extension, lost }: { writer: RowWriter; extension: MessageExtension; lost: AbortController },
): () => void {
  const isDue = (since: number) => renewAfterSeconds === undefined || monotonic() - since >= renewAfterSeconds * 1000;
  const tickSeconds = renewAfterSeconds === undefined ? leaseSeconds / 3 : (leaseSeconds - renewAfterSeconds) / RENEWAL_CHANCES;
  const tickMs = tickSeconds * 1000;
  return every(tickMs, () => {
    writer.giveUpAfter(tickMs * GIVE_UP_AFTER);
    if (writer.isBehind() && monotonic() - writer.renewedAt() >= leaseSeconds * 1000) return lost.abort();
    if (writer.isBehind() || isDue(writer.renewedAt())) writer.write();
    if (isDue(extension.extendedAt())) extension.extend();
  });
}
