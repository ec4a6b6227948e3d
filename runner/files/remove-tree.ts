import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, type Dirent, fstatSync, openSync } from 'node:fs';
import { lstat, opendir, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { HOLD_DIRECTORY, withDirectory } from './directory.ts';

/** The number of entries of a directory that are removed at once. */
const AT_ONCE = 32;

/** The number of times that a directory is emptied when something is added to it meanwhile. */
const ROUNDS = 3;

/**
 * Removes what is at `path`: a directory with everything below it, or nothing if it does not exist. The path to it must
 * belong to us. It handles any depth, any names and any modes: it moves a directory within the tree to the top before
 * it empties it, so that no path grows long and only two directories are open at a time. It follows no link, and enters
 * no mount point within the tree, because the kernel does not move mount points. If something cannot be removed, it
 * removes the rest and then throws the reason. It throws the signal's reason when the signal aborts.
 */
export async function removeTree(path: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await withDirectory(dirname(path), '', async (above) => {
    const at = above.at(basename(path));
    const facts = await lstat(at);
    if (!facts.isDirectory()) return unlink(at);
    if (facts.dev !== (await lstat(`${above.path}/.`)).dev) throw new Error(`${path} is a mount point`);
    await emptyAndRemove(at, (top) => emptyTop(top, signal));
  }).catch(unlessAbsent);
}

/** A directory that is held open. The names of its entries may not be text. */
interface Held {
  readonly path: string;
  at(name: Buffer): Buffer;
}

/** Removes the directory at `path` after `empty` has emptied it. */
async function emptyAndRemove(path: string | Buffer, empty: (directory: Held) => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    await withHeld(path, empty);
    try {
      return await rmdir(path);
    } catch (error) {
      if (round === ROUNDS || !hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

/**
 * Opens and closes synchronously: no byte is read or written, and a trip through the thread pool takes longer than the
 * call.
 */
async function withHeld<T>(path: string | Buffer, use: (directory: Held) => Promise<T>): Promise<T> {
  const fd = openSync(path, HOLD_DIRECTORY);
  try {
    const held = `/proc/self/fd/${fd}`;
    openToOwner(fd, held);
    return await use({ path: held, at: (name) => Buffer.concat([Buffer.from(`${held}/`), name]) });
  } finally {
    closeSync(fd);
  }
}

/** Gives the owner access to a directory that its mode may deny even to the owner. */
function openToOwner(fd: number, path: string): void {
  if ((fstatSync(fd).mode & 0o700) === 0o700) return;
  try {
    chmodSync(path, 0o700);
  } catch {
    // The directory belongs to another user. The operations in it will report what they may not do.
  }
}

interface Removal {
  readonly top: Held;
  /** The prefix of the names of directories that were moved to the top. */
  readonly prefix: string;
  /** The numbers at the end of those names. Each directory is removed in its turn; there may be millions. */
  readonly waiting: number[];
  readonly signal: AbortSignal | undefined;
  moved: number;
  /** The reason why something could not be removed. */
  failure: unknown;
}

async function emptyTop(top: Held, signal: AbortSignal | undefined): Promise<void> {
  const removal: Removal = { top, prefix: `.${randomUUID()}.`, waiting: [], signal, moved: 0, failure: undefined };
  await removeEntries(removal, top);
  for (let number = removal.waiting.pop(); number !== undefined; number = removal.waiting.pop()) {
    signal?.throwIfAborted();
    const moved = top.at(nameOf(removal, number));
    await emptyAndRemove(moved, (directory) => removeEntries(removal, directory)).catch((error) => note(removal, error));
  }
  if (removal.failure !== undefined) throw removal.failure;
}

/** Removes the files of a directory, and moves the directories in it to the top. */
async function removeEntries(removal: Removal, directory: Held): Promise<void> {
  const batch: Dirent<Buffer>[] = [];
  const removeBatch = () =>
    Promise.all(batch.splice(0).map((entry) => removeEntry(removal, directory, entry).catch((error) => note(removal, error))));
  // Node's types do not declare names as bytes.
  for await (const entry of await opendir(directory.path, { encoding: 'buffer' as BufferEncoding, bufferSize: AT_ONCE })) {
    removal.signal?.throwIfAborted();
    if (batch.push(entry as unknown as Dirent<Buffer>) === AT_ONCE) await removeBatch();
  }
  await removeBatch();
}

async function removeEntry(removal: Removal, directory: Held, entry: Dirent<Buffer>): Promise<void> {
  const at = directory.at(entry.name);
  if (!entry.isDirectory()) return unlink(at);
  if (entry.name.toString('latin1').startsWith(removal.prefix)) return;
  const number = removal.moved++;
  const name = nameOf(removal, number);
  try {
    await rename(at, removal.top.at(name));
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    // A directory can be moved only by a user who may write to it.
    await withHeld(at, async () => undefined);
    await rename(at, removal.top.at(name));
  }
  removal.waiting.push(number);
}

const nameOf = ({ prefix }: Removal, number: number): Buffer => Buffer.from(`${prefix}${number}`);

function note(removal: Removal, error: unknown): void {
  removal.signal?.throwIfAborted();
  if (!hasCode(error, 'ENOENT')) removal.failure ??= error;
}

function unlessAbsent(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
