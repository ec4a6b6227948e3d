import type { DatabaseSync } from 'node:sqlite';

/**
 * Runs `work` in one write transaction, and returns its result. The transaction is IMMEDIATE: SQLite refuses one that
 * reads first and asks for the write lock later, without waiting (SQLITE_BUSY_SNAPSHOT), when another process wrote in
 * between.
 */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // On a full disk, SQLite may have rolled back already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
