import { randomUUID } from 'node:crypto';
import { lstat, readdir, realpath, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAbsent } from './object-file.ts';
import { incomingDirectory, type ObjectPlace } from './object-place.ts';

async function kindOf(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    const directory = dirname(path);
    if ((await realpath(directory)) !== directory) return undefined;
    const stat = await lstat(path);
    if (stat.isFile()) return 'file';
    return stat.isDirectory() ? 'directory' : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export async function removeObject({ path }: ObjectPlace): Promise<number> {
  if ((await kindOf(path)) !== 'file') return 0;
  try {
    await unlink(path);
    return 1;
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
}

/**
 * Removes all objects of a directory at once, by moving the directory away first. Returns how many there were; when
 * several processes remove the same directory, one of them counts its objects.
 */
export async function removeTree({ root, path }: ObjectPlace): Promise<number> {
  if ((await kindOf(path)) !== 'directory') return 0;
  const condemned = join(incomingDirectory(root), randomUUID());
  try {
    await rename(path, condemned);
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
  const entries = await readdir(condemned, { recursive: true, withFileTypes: true });
  // A put that was in progress may still add files.
  await rm(condemned, { recursive: true, force: true, maxRetries: 3 });
  return entries.filter((entry) => entry.isFile()).length;
}

/**
 * Deletes what killed processes left in the incoming directory: everything that was last modified before `before`,
 * except the files that this process is writing, because those look old too when the clock has been set forward. A
 * leftover that cannot be deleted stays, so that the write which comes next does not fail because of it.
 */
export async function removeLeftovers(incoming: string, before: Date, inProgress: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(incoming)) {
    if (inProgress.has(name)) continue;
    const path = join(incoming, name);
    const stat = await lstat(path).catch(() => undefined);
    if (stat && stat.mtime < before) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
