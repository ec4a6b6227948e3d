import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AsuError } from '#core/errors.ts';

/** The space that must be free. With less, neither an image nor a row can be stored. */
const PROBE_BYTES = 1024 * 1024;
const PROBE = '.room-probe';
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The failure of a directory that cannot be written to. Its message names no path, so clients may read it. */
class NotWritableError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
}

/**
 * Rejects when the process cannot write into the directory: the disk is full, a quota is used up, or it is mounted
 * read-only.
 */
export async function assertWritable(directory: string): Promise<void> {
  const path = join(directory, PROBE);
  try {
    await mkdir(directory, { recursive: true });
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      // Some file systems allocate space, and notice a full disk, only when the data is synced.
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new NotWritableError(FULL.has(code) ? 'the disk is full' : `cannot be written to (${code})`, { cause: error });
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
