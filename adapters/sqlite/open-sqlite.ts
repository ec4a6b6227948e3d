import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MIGRATIONS } from './schema.ts';
import { inTransaction } from './transaction.ts';

/**
 * How long a statement waits for the write of another process, which takes milliseconds. The wait blocks this process.
 */
const BUSY_TIMEOUT_MS = 10_000;

/** How long processes that open one new file at the same time may block each other. */
const OPEN_TIMEOUT_MS = 20_000;

/** SQLite's primary result code, which is the low byte of its extended codes. */
const SQLITE_BUSY = 5;

const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/**
 * Runs `work` again while the database is busy. The switch to WAL and the recovery after a crash need this, because
 * they fail with "busy" at once: `busy_timeout` does not apply to them.
 */
function retryWhileBusy(work: () => void): void {
  const deadline = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      sleep(10 + Math.random() * 20);
    }
  }
}

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

function migrate(db: DatabaseSync): void {
  if (schemaVersion(db) === MIGRATIONS.length) return;
  inTransaction(db, () => {
    // Read again under the write lock, because another process may have migrated the database meanwhile.
    const version = schemaVersion(db);
    if (version > MIGRATIONS.length)
      throw new Error(
        `The database has schema version ${version}, this program knows up to ${MIGRATIONS.length}: it was written by a later one`,
      );
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * Opens or creates the database, and brings its schema up to date. Any number of processes may do so at the same time.
 * Only its owner can read a new file, because orders contain what clients put into `defaults`. A committed write
 * survives `kill -9` of every process and, because each commit is synced (`synchronous = FULL`), loss of power: without
 * that, a lost `done → expiring` could bring back a build whose objects are already gone. `:memory:` opens a new
 * database in each call.
 */
export function openSqlite(path: string): DatabaseSync {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true });
    // SQLite gives the -wal and -shm files the mode of this file.
    closeSync(openSync(path, 'a', 0o600));
  }
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    retryWhileBusy(() => {
      db.exec('PRAGMA journal_mode = WAL');
      db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF');
      migrate(db);
    });
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
