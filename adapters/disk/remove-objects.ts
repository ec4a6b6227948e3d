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

/** All objects of a directory go at once, by moving it out of the way; of several removers one counts them. */
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
  // A put that was under way may still add to it.
  await rm(condemned, { recursive: true, force: true, maxRetries: 3 });
  return entries.filter((entry) => entry.isFile()).length;
}

/**
 * Deletes what killed processes left among the incoming: everything that was last touched before `before`, except what this process is
 * writing, which looks old too after the clock was set forward. What cannot be deleted stays: a write comes after this, and must not
 * fail for it.
 */
export async function removeLeftovers(incoming: string, before: Date, inProgress: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(incoming)) {
    if (inProgress.has(name)) continue;
    const path = join(incoming, name);
    const stat = await lstat(path).catch(() => undefined);
    if (stat && stat.mtime < before) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
