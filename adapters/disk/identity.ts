import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/**
 * Returns a name for one write of one object, made of the file's inode number, the microsecond of the write, and the
 * size. Two writes have different inode numbers, or, when the file system uses the number of a deleted file again,
 * different times (`stampFile`).
 */
export const identityOf = ({ ino, mtimeMs, size }: Stats): string =>
  [ino, Math.round(mtimeMs * 1000), size].map((number) => number.toString(36)).join('-');

/**
 * Sets a file's modification time to the microsecond and returns its identity. The kernel's own timestamps may stay the
 * same for some milliseconds, in which the file system can free an inode number and use it again.
 */
export async function stampFile(file: FileHandle): Promise<string> {
  // The wall clock gives the milliseconds, the monotonic clock the microseconds, which differ between any two calls in
  // one millisecond.
  const now = Date.now() / 1000 + (Number(process.hrtime.bigint() / 1000n) % 1000) / 1_000_000;
  await file.utimes(now, now);
  return identityOf(await file.stat());
}
