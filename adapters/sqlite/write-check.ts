import type { DatabaseSync } from 'node:sqlite';
import { withStorageFullError } from './storage-full.ts';

/**
 * Returns a check that writes one small row, and throws what every other write would: a database that can be read may
 * still be full or read-only.
 */
export function sqliteWriteCheck(db: DatabaseSync): () => Promise<void> {
  const write = db.prepare(
    `INSERT INTO records (key, body, version) VALUES ('ready', '', 1) ON CONFLICT (key) DO UPDATE SET version = version + 1`,
  );
  return async () => {
    withStorageFullError(() => write.run());
  };
}
