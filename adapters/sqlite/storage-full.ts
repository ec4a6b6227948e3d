import { StorageFullError } from '#core/errors.ts';

/**
 * SQLite's codes for a full disk: its primary code, the low byte of the extended codes, and that of a `-shm` file that
 * cannot grow.
 */
const SQLITE_FULL = 13;
const SQLITE_IOERR_SHMSIZE = 4874;

/** Runs `write`, and turns SQLite's errors for a full disk into `StorageFullError`, which clients may read. */
export function withStorageFullError<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
    if ((code & 0xff) !== SQLITE_FULL && code !== SQLITE_IOERR_SHMSIZE) throw error;
    throw new StorageFullError('the state of builds', { cause: error });
  }
}
