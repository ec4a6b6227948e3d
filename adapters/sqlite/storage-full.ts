import { StorageFullError } from '#core/errors.ts';

/** SQLite's primary result code, in the low byte of the extended codes, and the code of a `-shm` file that cannot grow. */
const SQLITE_FULL = 13;
const SQLITE_IOERR_SHMSIZE = 4874;

/** Runs `write`; what SQLite says of a full disk becomes a failure that clients may read. */
export function withStorageFullError<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
    if ((code & 0xff) !== SQLITE_FULL && code !== SQLITE_IOERR_SHMSIZE) throw error;
    throw new StorageFullError('the state of builds', { cause: error });
  }
}
