import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A server that is just stopping gets this long to let go. */
const PATIENCE_MS = 5_000;

/**
 * Takes the data directory for this process alone, until the answered function is called or the process ends, however it ends:
 * two servers would clear each other's caches and builds. The lock is SQLite's, so the kernel lets go of it with the process.
 * Throws with what to do when another has it.
 */
export function lockDataDirectory(dataDir: string): () => void {
  const db = new DatabaseSync(join(dataDir, 'lock'), { timeout: PATIENCE_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw new Error(`another server is using ${dataDir}: stop it, or choose another directory with ASU_DATA_DIR`, { cause: error });
  }
  return () => db.close();
}
