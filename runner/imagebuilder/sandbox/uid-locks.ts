import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { closedDirectory } from '#runner/files/own-directory.ts';

/** The directory in which all servers of a machine find each other's locks. Only root may write there. */
const MEETING_PLACE = '/run/asu-build-uids';

/** The time that a claim waits for another server that is trying the same uid. */
const PATIENCE_MS = 50;

/** SQLite's primary result code, which is the low byte of the extended ones. */
const SQLITE_BUSY = 5;

/** Claims of uids on this machine. This process holds each one until it ends. */
export interface UidLocks {
  /** Claims a uid, and returns whether this process now holds it. */
  claim(uid: number): boolean;
}

/** The databases whose locks this process holds, by file. */
const held = new Map<string, DatabaseSync>();

/**
 * Returns claims that are locks on files in a directory that only root may enter, so that neither a package script nor
 * a user of the machine can hold one. SQLite makes the locks, and the kernel releases them when the process ends,
 * however it ends. The directory is in `/run`, or else the first usable one of `places`. Servers with different
 * directories (a container with a read-only root cannot use `/run`) do not see each other's claims. It throws when no
 * directory is usable.
 */
export async function uidLocks(places: readonly string[]): Promise<UidLocks> {
  const reasons: string[] = [];
  for (const place of [MEETING_PLACE, ...places]) {
    try {
      const directory = await closedDirectory(place);
      return { claim: (uid) => claim(join(directory, String(uid))) };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`No directory can hold the locks of the builds' uids: ${reasons.join('; ')}`);
}

function claim(file: string): boolean {
  if (held.has(file)) return true;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: PATIENCE_MS });
    lock.exec('PRAGMA journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    held.set(file, lock);
    return true;
  } catch (cause) {
    lock?.close();
    if (cause instanceof Error && 'errcode' in cause && (Number(cause.errcode) & 0xff) === SQLITE_BUSY) return false;
    throw new Error(`${file} cannot be locked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
