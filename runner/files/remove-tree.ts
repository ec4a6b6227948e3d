import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, type Dirent, fstatSync, openSync } from 'node:fs';
import { lstat, opendir, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { HOLD_DIRECTORY, withDirectory } from './directory.ts';

/** Entries of a directory that are removed at once. */
const AT_ONCE = 32;

/** A directory to which something is added while it is emptied is emptied again, so often at most. */
const ROUNDS = 3;

/**
 * Removes what is at `path`, a directory with all below it; absent is fine. The way to it is ours. It takes any depth, any names
 * and any modes: a directory within the tree is moved to its top before it is emptied, so that no path grows long and two
 * directories are open at a time. It follows no link, and enters no mount point within the tree, since the kernel moves none.
 * What cannot be removed stays and all else goes; then it throws why. It throws the signal's reason when that aborts.
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

/** A directory that is held; its entries may have names that are no text. */
interface Held {
  readonly path: string;
  at(name: Buffer): Buffer;
}

/** Removes the directory at `path` when `empty` has emptied it. */
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

/** Synchronous where no byte is read or written: a trip through the thread pool takes longer than all of it. */
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

/** A directory may be closed to its own owner. */
function openToOwner(fd: number, path: string): void {
  if ((fstatSync(fd).mode & 0o700) === 0o700) return;
  try {
    chmodSync(path, 0o700);
  } catch {
    // Another's: what cannot be done in it says so.
  }
}

interface Removal {
  readonly top: Held;
  /** Begins the names of the directories that were moved to the top. */
  readonly prefix: string;
  /** The numbers that end their names; each is removed in its turn. There may be millions. */
  readonly waiting: number[];
  readonly signal: AbortSignal | undefined;
  moved: number;
  /** Why something stays. */
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
  // The types know of no names that are bytes.
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
    // Only a directory that its mover may write to can be moved.
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
