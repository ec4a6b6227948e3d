import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { RequestHash } from '#core/build.ts';
import type { BuildQueue, ReceivedMessage } from '#core/ports.ts';
import { inTransaction } from './transaction.ts';
import { wakeUps } from './wake-ups.ts';

export interface SqliteBuildQueueOptions {
  /** How often a waiting receiver looks for what other processes sent, and for what became visible. */
  readonly pollMs?: number;
}

/** One look costs some microseconds; a build is not noticeably later for a quarter of a second. */
const POLL_MS = 250;

/**
 * A queue on SQLite, shared by every process that opens the file: first in, first out among the visible messages. Times are
 * the machine's clock. Sending wakes receivers on the same handle at once, those of other processes at their next look.
 */
export function sqliteBuildQueue(db: DatabaseSync, { pollMs = POLL_MS }: SqliteBuildQueueOptions = {}): BuildQueue {
  const wakeUp = wakeUps(db);
  const insert = db.prepare('INSERT INTO messages (hash, correlation_id, visible_at) VALUES (?, ?, ?)');
  const oldestVisible = db.prepare('SELECT id FROM messages WHERE visible_at <= ? ORDER BY id LIMIT 1');
  const take = db.prepare(`
    UPDATE messages SET receipt = ?1, visible_at = ?2, deliveries = deliveries + 1
    WHERE id = (SELECT id FROM messages WHERE visible_at <= ?3 ORDER BY id LIMIT 1) AND visible_at <= ?3
    RETURNING hash, correlation_id`);
  const hide = db.prepare('UPDATE messages SET visible_at = ? WHERE receipt = ?');
  const unhide = db.prepare('UPDATE messages SET visible_at = ?, receipt = NULL WHERE receipt = ?');
  const drop = db.prepare('DELETE FROM messages WHERE receipt = ?');
  const copyToDeadLetters = db.prepare(`
    INSERT INTO dead_letters (hash, correlation_id, deliveries, reason, buried_at)
    SELECT hash, correlation_id, deliveries, ?1, ?2 FROM messages WHERE receipt = ?3`);

  const tryReceive = (visibilitySeconds: number): ReceivedMessage | undefined => {
    const now = Date.now();
    // Looking takes no lock: idle receivers do not disturb writers.
    if (oldestVisible.get(now) === undefined) return undefined;
    const receipt = randomUUID();
    // `all`, not `get`: the delivery counts once it is committed.
    const [row] = take.all(receipt, now + visibilitySeconds * 1000, now);
    return row && { hash: String(row['hash']) as RequestHash, correlationId: String(row['correlation_id']), receipt };
  };

  return {
    async send({ hash, correlationId }, { delaySeconds = 0 } = {}) {
      insert.run(hash, correlationId, Date.now() + delaySeconds * 1000);
      wakeUp.all();
    },

    async receive({ visibilitySeconds, signal }) {
      while (!signal.aborted) {
        const received = tryReceive(visibilitySeconds);
        if (received) return received;
        await wakeUp.next(pollMs, signal);
      }
      return undefined;
    },

    async extend({ receipt }, visibilitySeconds) {
      hide.run(Date.now() + visibilitySeconds * 1000, receipt);
    },

    async acknowledge({ receipt }) {
      drop.run(receipt);
    },

    async release({ receipt }, delaySeconds = 0) {
      unhide.run(Date.now() + delaySeconds * 1000, receipt);
      wakeUp.all();
    },

    async bury({ receipt }, reason) {
      inTransaction(db, () => {
        copyToDeadLetters.run(reason, Date.now(), receipt);
        drop.run(receipt);
      });
    },
  };
}
