import type { DatabaseSync } from 'node:sqlite';
import type { QueuePositions } from '#core/ports.ts';

/**
 * Counts on partial indexes that hold only waiting (or running) builds: a few microseconds per hundred of them, however many
 * are finished.
 */
export function sqliteQueuePositions(db: DatabaseSync): QueuePositions {
  const countWaiting = db.prepare(`SELECT count(*) AS n FROM builds INDEXED BY builds_waiting WHERE state = 'queued'`);
  const countRunning = db.prepare(`SELECT count(*) AS n FROM builds INDEXED BY builds_running WHERE state = 'building'`);
  // The row's own ticket, not the caller's; NULL, and so a count of 0, when it no longer waits.
  const countAhead = db.prepare(`
    SELECT count(*) AS n FROM builds INDEXED BY builds_waiting
    WHERE state = 'queued' AND ticket < (SELECT ticket FROM builds WHERE hash = ? AND state = 'queued')`);

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
  };
}
