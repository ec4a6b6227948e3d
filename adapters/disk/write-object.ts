import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A removal of the directory between `mkdir` and `rename` is met by trying again; more often than this it is no coincidence. */
const RENAME_ATTEMPTS = 5;

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error; // removed meanwhile
  }
}

/** Makes the directory; answers those whose entries changed and have to reach the disk besides. */
async function makeDirectory(path: string): Promise<string[]> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await realpath(path)) !== path) throw new Error(`A symbolic link is in the way: ${path}`);
  const changed: string[] = [];
  if (firstMade !== undefined) for (let made = path; made.length >= firstMade.length; made = dirname(made)) changed.push(dirname(made));
  return changed;
}

async function publish(temporary: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const changed = await makeDirectory(dirname(path));
      await rename(temporary, path);
      for (const directory of [dirname(path), ...changed]) await syncDirectory(directory);
      return;
    } catch (error) {
      if (!isCode(error, 'ENOENT') || attempt === RENAME_ATTEMPTS) throw error;
    }
  }
}

/**
 * Writes a file whole or not at all: beside the objects first (same file system), synced, then moved to its place by one rename.
 * A failure (a full disk, too) is thrown as it is and leaves nothing.
 */
export async function writeObject(incoming: string, path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = join(incoming, randomUUID());
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await fill(file);
      // Before the rename: a build is marked done after its objects are written, and must not outlive them at a loss of power.
      await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Appends what a regular file holds; neither links nor devices are read. */
export async function appendFile(target: FileHandle, path: string, flags: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const source = await open(path, flags);
  try {
    if (!(await source.stat()).isFile()) throw new Error(`Not a regular file: ${path}`);
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      await target.appendFile(buffer.subarray(0, bytesRead));
    }
  } finally {
    await source.close();
  }
}
