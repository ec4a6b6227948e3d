import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/**
 * Names one write of one object: the file it lies in and the microsecond it was written. Another write has another file,
 * and one that gets the number of a file deleted before has another time (`stampFile`).
 */
export const identityOf = ({ ino, mtimeMs, size }: Stats): string =>
  [ino, Math.round(mtimeMs * 1000), size].map((number) => number.toString(36)).join('-');

/**
 * Dates a file to the microsecond; answers its identity. The kernel's own date may be the same for some milliseconds, in
 * which an inode can be freed and taken again.
 */
export async function stampFile(file: FileHandle): Promise<string> {
  // The wall clock to the millisecond, and below it a clock that differs between any two calls within one.
  const now = Date.now() / 1000 + (Number(process.hrtime.bigint() / 1000n) % 1000) / 1_000_000;
  await file.utimes(now, now);
  return identityOf(await file.stat());
}
