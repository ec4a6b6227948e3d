import type { DatabaseSync } from 'node:sqlite';

export interface WakeUps {
  /** Wakes everybody who waits. */
  all(): void;
  /** Waits until woken, until the time is over, or until the signal aborts. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

const sleepers = new WeakMap<DatabaseSync, Set<() => void>>();

/** Wake-ups between all who share a database handle; across handles and processes there are none, only polling. */
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
