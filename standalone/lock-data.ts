import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StandaloneConfig } from './config.ts';

/** How long a server that is just stopping has to let go. */
const PATIENCE_MS = 5_000;

/** SQLite's primary result code, which is the low byte of extended codes. */
const SQLITE_BUSY = 5;

/**
 * Locks data directory, database and artefacts for this process, since two servers would clear each other's caches,
 * builds and images. Returns what unlocks them. They are SQLite's locks, so the kernel releases them when the process
 * ends, in whatever way. Throws with what to do when another process has one of them.
 */
export function lockData({ dataDir, databasePath, artifactDir }: Pick<StandaloneConfig, 'dataDir' | 'databasePath' | 'artifactDir'>) {
  mkdirSync(dataDir, { recursive: true });
  mkdirSync(dirname(databasePath), { recursive: true });
  mkdirSync(artifactDir, { recursive: true, mode: 0o700 });
  const places = [
    { path: dataDir, file: join(dataDir, 'lock'), setting: 'ASU_DATA_DIR' },
    { path: databasePath, file: `${whereItLies(databasePath)}.lock`, setting: 'ASU_DATABASE_PATH' },
    // No key of an object begins like this, so it is never served.
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

/** The real path of a database: two names of one database, one of them a link, are one database. */
function whereItLies(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
