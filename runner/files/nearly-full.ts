import { statfs } from 'node:fs/promises';

/** What is kept for the server's database and for other programs: this much, on a small disk this part of it. */
const RESERVE_BYTES = 256 * 1024 * 1024;
const RESERVE_PART = 0.02;

/** Whether the file system of a directory of ours has hardly any room left, for bytes or for files. */
export async function isNearlyFull(directory: string): Promise<boolean> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(directory);
  return bavail * bsize < Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_PART) || (files > 0 && ffree < files * RESERVE_PART);
}
