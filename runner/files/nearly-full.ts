import { statfs } from 'node:fs/promises';

/**
 * The space reserved for the server's database and for other programs: this many bytes, or on a small disk this share
 * of it.
 */
const RESERVE_BYTES = 256 * 1024 * 1024;
const RESERVE_PART = 0.02;

/** Returns whether the file system of one of our directories has hardly any room left, for bytes or for files. */
export async function isNearlyFull(directory: string): Promise<boolean> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(directory);
  return bavail * bsize < Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_PART) || (files > 0 && ffree < files * RESERVE_PART);
}
