import { type FileHandle, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageFullError } from '#core/errors.ts';
import type { ArtifactMeta } from '#core/stores.ts';
import { stampFile } from './identity.ts';
import { incomingDirectory, type ObjectPlace } from './object-place.ts';
import { removeMeta, storeMeta } from './stored-meta.ts';
import { syncDirectory } from './sync-directory.ts';

/**
 * How often a write tries again when another process removes the directory between `mkdir` and `rename`. If that
 * happens this often, it is no coincidence.
 */
const RENAME_ATTEMPTS = 5;

/**
 * The file modes, before the umask. Images are public, because another program may serve them; all else only this
 * server reads.
 */
const PUBLIC = { file: 0o644, directory: 0o755 };
const PRIVATE = { file: 0o600, directory: 0o700 };

const modesOf = ({ key }: ObjectPlace) => (key.startsWith('store/') ? PUBLIC : PRIVATE);

/**
 * Creates the directory of an object. Returns the other directories whose entries changed: those have to be synced too.
 */
async function makeDirectory(place: ObjectPlace): Promise<string[]> {
  const path = dirname(place.path);
  const firstMade = await mkdir(path, { recursive: true, mode: modesOf(place).directory });
  if ((await realpath(path)) !== path) throw new Error(`A symbolic link is in the way: ${path}`);
  const changed: string[] = [];
  if (firstMade !== undefined) for (let made = path; made.length >= firstMade.length; made = dirname(made)) changed.push(dirname(made));
  return changed;
}

async function publish(temporary: string, place: ObjectPlace): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const changed = await makeDirectory(place);
      await rename(temporary, place.path);
      for (const directory of [dirname(place.path), ...changed]) await syncDirectory(directory);
      return;
    } catch (error) {
      const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isGone || attempt === RENAME_ATTEMPTS) throw error;
    }
  }
}

/**
 * Writes an object completely or not at all: first into the incoming directory (on the same file system) under `name`,
 * then synced, then moved to its place by one rename. A failure leaves nothing behind. It throws `StorageFullError`
 * when the disk is full, and all other failures as they are.
 */
export async function writeObject(
  place: ObjectPlace,
  name: string,
  meta: ArtifactMeta,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(incomingDirectory(place.root), name);
  let identity: string | undefined;
  try {
    const file = await open(temporary, 'wx', modesOf(place).file);
    try {
      await fill(file);
      identity = await stampFile(file);
      // Synced before the rename: a build is marked done after its objects are written, and after a loss of power there
      // must be no such build without its objects.
      await file.sync();
    } finally {
      await file.close();
    }
    await storeMeta(place, identity, meta);
    await publish(temporary, place);
  } catch (error) {
    await rm(temporary, { force: true });
    if (identity !== undefined) await removeMeta(place, identity);
    if (isFull(error)) throw new StorageFullError('the files of builds', { cause: error });
    throw error;
  }
}

const isFull = (error: unknown) => error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/**
 * Appends the content of a regular file. It refuses links and devices, and a file with a second hard link, because that
 * may be a file which does not belong to the build.
 */
export async function appendFile(target: FileHandle, path: string, flags: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const source = await open(path, flags);
  try {
    const facts = await source.stat();
    if (!facts.isFile() || facts.nlink > 1) throw new Error(`Not a regular file with one name: ${path}`);
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
