import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MIGRATIONS } from './schema.ts';
import { inTransaction } from './transaction.ts';

/** How long a statement waits for another process's write; ours take milliseconds. It blocks this process meanwhile. */
const BUSY_TIMEOUT_MS = 10_000;

/** How long several processes that open one new file at once may get in each other's way. */
const OPEN_TIMEOUT_MS = 20_000;

/** SQLite's primary result code in the low byte of the extended ones. */
const SQLITE_BUSY = 5;

const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/** The switch to WAL and recovery after a crash answer "busy" at once instead of waiting: `busy_timeout` does not cover them. */
function whenFree(work: () => void): void {
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
    // Asked again under the write lock: another process may have been first.
    const taken = schemaVersion(db);
    if (taken > MIGRATIONS.length)
      throw new Error(
        `The database has schema version ${taken}, this program knows up to ${MIGRATIONS.length}: it was written by a later one`,
      );
    for (const step of MIGRATIONS.slice(taken)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * Opens (or creates, readable by its owner only: orders hold what clients put into `defaults`) the database and brings its
 * schema up to date. Any number of processes may do so at once. A committed write survives `kill -9` of every process
 * and, because each commit is synced (`synchronous = FULL`), loss of power: with less, a lost `done → expiring` could bring
 * back a build whose objects are already gone. `:memory:` is a database of its own for each call.
 */
export function openSqlite(path: string): DatabaseSync {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true });
    // SQLite gives the -wal and -shm files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
  }
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    whenFree(() => {
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
