import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { BuildQueue, ReceivedMessage } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { MACHINE_CLOCK, type MachineClock } from './machine-clock.ts';
import { inTransaction } from './transaction.ts';
import { wakeUps } from './wake-ups.ts';

export interface SqliteBuildQueueOptions {
  /** How often a waiting receiver looks for messages that other processes sent or that have become visible. */
  readonly pollMs?: number;
  readonly clock?: MachineClock;
}

/** One look costs some microseconds, and a quarter of a second delays a build unnoticeably. */
const POLL_MS = 250;

/**
 * Returns a queue on SQLite, shared by every process of one machine that opens the file: first in, first out among the
 * visible messages. A clock that cannot be set counts the delays (`machine-clock.ts`); they end when the machine
 * restarts. Sending wakes receivers on the same handle at once; those in other processes find the message at their next
 * poll.
 */
export function sqliteBuildQueue(db: DatabaseSync, { pollMs = POLL_MS, clock = MACHINE_CLOCK }: SqliteBuildQueueOptions = {}): BuildQueue {
  const wakeUp = wakeUps(db);
  const { boot } = clock;
  const visible = '(boot <> ?1 OR visible_at <= ?2)';
  const insert = db.prepare('INSERT INTO messages (boot, visible_at, hash, correlation_id) VALUES (?, ?, ?, ?)');
  const oldestVisible = db.prepare(`SELECT id FROM messages WHERE ${visible} ORDER BY id LIMIT 1`);
  const take = db.prepare(`
    UPDATE messages SET boot = ?1, visible_at = ?3, receipt = ?4, deliveries = deliveries + 1
    WHERE id = (SELECT id FROM messages WHERE ${visible} ORDER BY id LIMIT 1) AND ${visible}
    RETURNING hash, correlation_id`);
  const hide = db.prepare('UPDATE messages SET boot = ?, visible_at = ? WHERE receipt = ?');
  const unhide = db.prepare('UPDATE messages SET boot = ?, visible_at = ?, receipt = NULL WHERE receipt = ?');
  const drop = db.prepare('DELETE FROM messages WHERE receipt = ?');
  const copyToDeadLetters = db.prepare(`
    INSERT INTO dead_letters (hash, correlation_id, deliveries, reason, buried_at)
    SELECT hash, correlation_id, deliveries, ?1, ?2 FROM messages WHERE receipt = ?3`);

  const now = (): number => Math.floor(clock.milliseconds());
  const inSeconds = (seconds: number): number => (seconds > 0 ? Math.ceil(clock.milliseconds() + seconds * 1000) : now());

  const tryReceive = (visibilitySeconds: number): ReceivedMessage | undefined => {
    // A look takes no lock, so idle receivers do not disturb writers.
    if (oldestVisible.get(boot, now()) === undefined) return undefined;
    const receipt = randomUUID();
    // `all`, not `get`: only a statement that is read to its end has committed the delivery.
    const [row] = take.all(boot, now(), inSeconds(visibilitySeconds), receipt);
    return row && { hash: String(row['hash']) as RequestHash, correlationId: String(row['correlation_id']), receipt };
  };

  return {
    async send({ hash, correlationId }, { delaySeconds = 0 } = {}) {
      insert.run(boot, inSeconds(delaySeconds), hash, correlationId);
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
      hide.run(boot, inSeconds(visibilitySeconds), receipt);
    },

    async acknowledge({ receipt }) {
      drop.run(receipt);
    },

    async release({ receipt }, delaySeconds = 0) {
      unhide.run(boot, inSeconds(delaySeconds), receipt);
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
