import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StandaloneConfig } from './config.ts';

/** A server that is just stopping gets this long to let go. */
const PATIENCE_MS = 5_000;

/** SQLite's primary result code in the low byte of the extended ones. */
const SQLITE_BUSY = 5;

/**
 * Takes data directory, database and artefacts for this process alone, each wherever it lies, until the answered function is called or
 * the process ends, however it ends: two servers would clear each other's caches, builds and images. The locks are SQLite's, so the
 * kernel lets go of them with the process. Throws with what to do when another has one of them.
 */
export function lockData({ dataDir, databasePath, artifactDir }: Pick<StandaloneConfig, 'dataDir' | 'databasePath' | 'artifactDir'>) {
  mkdirSync(dataDir, { recursive: true });
  mkdirSync(dirname(databasePath), { recursive: true });
  mkdirSync(artifactDir, { recursive: true, mode: 0o700 });
  const places = [
    { path: dataDir, file: join(dataDir, 'lock'), setting: 'ASU_DATA_DIR' },
    { path: databasePath, file: `${whereItLies(databasePath)}.lock`, setting: 'ASU_DATABASE_PATH' },
    // No key of an object begins like this: it is never served.
    { path: artifactDir, file: join(artifactDir, '~lock'), setting: 'PUBLIC_PATH' },
  ];
  const locks: DatabaseSync[] = [];
  const unlock = () => {
    for (const lock of locks) lock.close();
  };
  try {
    for (const place of places) locks.push(lock(place));
  } catch (error) {
    unlock();
    throw error;
  }
  return unlock;
}

function lock({ path, file, setting }: { path: string; file: string; setting: string }): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: PATIENCE_MS });
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (cause) {
    db?.close();
    const isTaken = cause instanceof Error && 'errcode' in cause && (Number(cause.errcode) & 0xff) === SQLITE_BUSY;
    if (isTaken) throw new Error(`another server is using ${path}: stop it, or choose another place with ${setting}`, { cause });
    throw new Error(`${file} cannot be locked: ${cause instanceof Error ? cause.message : String(cause)} (${setting})`, { cause });
  }
}

/** Two names of one database, one of them a link, are one database. */
function whereItLies(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
