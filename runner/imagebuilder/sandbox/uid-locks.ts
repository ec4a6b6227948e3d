import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { closedDirectory } from '#runner/files/own-directory.ts';

/** Where all servers of a machine meet: only root may write there. */
const MEETING_PLACE = '/run/asu-build-uids';

/** How long a claim waits for another server that is just asking for the same one. */
const PATIENCE_MS = 50;

/** SQLite's primary result code in the low byte of the extended ones. */
const SQLITE_BUSY = 5;

/** Claims of uids on this machine, each held until this process ends. */
export interface UidLocks {
  /** Whether the claim is this process's, from now on. */
  claim(uid: number): boolean;
}

/** What this process holds, by file. */
const held = new Map<string, DatabaseSync>();

/**
 * Claims by a lock on a file in a directory that nobody but root may enter, so that neither a package script nor a user of the machine
 * can hold one. The locks are SQLite's: the kernel lets go of them with the process, however it ends. The directory is the first of
 * `places` that can be had; where that is not `/run` (a container whose root is read-only) servers do not see each other's claims.
 * Throws where there is none.
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
  throw new Error(`There is no place for the locks of the builds' uids: ${reasons.join('; ')}`);
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
