import type { DatabaseSync } from 'node:sqlite';

export interface WakeUps {
  /** Wakes all waiting callers. */
  all(): void;
  /** Resolves when the caller is woken, the time is over, or the signal aborts. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

const sleepers = new WeakMap<DatabaseSync, Set<() => void>>();

/**
 * Returns wake-ups between all users of one database handle. They do not reach other handles and processes, which have
 * to poll.
 */
export function wakeUps(db: DatabaseSync): WakeUps {
  const waiting = sleepers.get(db) ?? new Set<() => void>();
  sleepers.set(db, waiting);

  return {
    all() {
      for (const wake of [...waiting]) wake();
    },
    next(timeoutMs, signal) {
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        waiting.add(wake);
        if (signal.aborted) wake();
      });
    },
  };
}
