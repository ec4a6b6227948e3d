import { constants } from 'node:fs';
import { chown, type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { kindOf, UnexpectedFileError } from './unexpected-file.ts';

/** Linux's O_PATH, which Node does not name. It holds a file of any kind without reading or writing it. */
const O_PATH = 0o10000000;

/** The flags that hold a file itself, even if it is a link. */
export const HOLD = O_PATH | constants.O_NOFOLLOW;

/** The flags that hold a directory and nothing else. */
export const HOLD_DIRECTORY = HOLD | constants.O_DIRECTORY;

/**
 * A directory that is held open. Node has no `openat`, but the kernel resolves `/proc/self/fd/N` to the very directory
 * that was opened, even if its path has changed since. A system call on `at(name)` therefore follows no link, except
 * perhaps `name` itself.
 */
export interface Directory {
  /** The path of the directory while it is held. */
  readonly path: string;
  /** Returns the path of one of its entries, valid while the directory is held. */
  at(name: string): string;
}

/** Returns a path to the file that a handle holds, even if the path by which it was opened has changed. */
export const pathOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

/** Returns the directory that the handle holds, valid as long as the handle is open. */
export const directoryOf = (handle: FileHandle): Directory => ({
  path: pathOf(handle),
  at: (name) => `${pathOf(handle)}/${plainName(name)}`,
});

/** Returns `name` if it is a plain entry name. A path would be followed, so it is refused. */
function plainName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    throw new UnexpectedFileError(`Not the name of a file: ${JSON.stringify(name)}`);
  return name;
}

export interface MissingDirectories {
  /** The owner of the directories that are made; `undefined` stands for the server's own user. */
  readonly uid: number | undefined;
}

/**
 * Runs `use` with the directory at `path` below `root`, and holds it meanwhile. No link is followed from `root` on, not
 * even `root` itself; the path above `root` belongs to us. It throws `UnexpectedFileError` when something other than a
 * directory is in the way. With `make` it creates missing directories; otherwise they cause the system's ENOENT.
 */
export async function withDirectory<T>(
  root: string,
  path: string,
  use: (directory: Directory) => Promise<T>,
  make?: MissingDirectories,
): Promise<T> {
  const top = await holdDirectory(root);
  try {
    const handle = await holdBelow(top, path, make);
    try {
      return await use(directoryOf(handle));
    } finally {
      await handle.close();
    }
  } finally {
    await top.close();
  }
}

/** Holds the directory at `path` below the one that `top` holds, like `withDirectory`. The caller closes it. */
export async function holdBelow(top: FileHandle, path: string, make?: MissingDirectories): Promise<FileHandle> {
  let handle = await open(pathOf(top), O_PATH | constants.O_DIRECTORY);
  for (const name of segments(path)) {
    const above = handle;
    try {
      handle = await holdEntry(directoryOf(above), name, make);
    } finally {
      await above.close();
    }
  }
  return handle;
}

/** Returns the names in a relative path; `''` and `.` have none. */
export const segments = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

/**
 * Holds the directory `name` in `directory`, and creates it when it is missing and `make` is given. The caller closes
 * it.
 */
export async function holdEntry(directory: Directory, name: string, make?: MissingDirectories): Promise<FileHandle> {
  const path = directory.at(name);
  if (make === undefined) return holdDirectory(path);
  const isNew = await mkdir(path, 0o755).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    },
  );
  const handle = await holdDirectory(path);
  if (isNew && make.uid !== undefined) await chown(pathOf(handle), make.uid, make.uid);
  return handle;
}

/**
 * Holds the directory at `path`, whose parent is ours or held. A link does not count as a directory. The caller closes
 * it.
 */
export async function holdDirectory(path: string): Promise<FileHandle> {
  try {
    return await open(path, HOLD_DIRECTORY);
  } catch (error) {
    // The kernel also returns this error for a link.
    if (!hasCode(error, 'ENOTDIR')) throw error;
    const found = await lstat(path).then(kindOf, () => 'something else');
    throw new UnexpectedFileError(`${basename(path)}: expected a directory, found ${found}`);
  }
}
