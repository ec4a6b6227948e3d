import type { DatabaseSync } from 'node:sqlite';
import type { RecordStore } from '#core/stores.ts';

/**
 * Returns a record store on SQLite. Each write increments a record's version, its tag. A tag never comes back: records
 * are not deleted.
 */
export function sqliteRecordStore(db: DatabaseSync): RecordStore {
  const select = db.prepare('SELECT body, version FROM records WHERE key = ?');
  const insert = db.prepare('INSERT INTO records (key, body, version) VALUES (?, ?, 1) ON CONFLICT (key) DO NOTHING');
  const update = db.prepare('UPDATE records SET body = ?1, version = version + 1 WHERE key = ?2 AND version = CAST(?3 AS INTEGER)');

  return {
    async get(key) {
      const row = select.get(key);
      return row && { body: String(row['body']), tag: String(row['version']) };
    },
    async replace(key, body, tag) {
      const { changes } = tag === undefined ? insert.run(key, body) : update.run(body, key, tag);
      return changes === 1;
    },
  };
}
