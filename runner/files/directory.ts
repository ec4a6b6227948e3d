import { constants } from 'node:fs';
import { chown, type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { kindOf, UnexpectedFileError } from './unexpected-file.ts';

/** Linux's O_PATH, which Node does not name: the file is held, neither read nor written, whatever it is. */
const O_PATH = 0o10000000;

/** Holds a file itself, also where it is a link. */
export const HOLD = O_PATH | constants.O_NOFOLLOW;

/** Holds a directory, and nothing else. */
export const HOLD_DIRECTORY = HOLD | constants.O_DIRECTORY;

/**
 * A directory that is held open. Node has no `openat`; the kernel leads `/proc/self/fd/N` to the very directory that was opened,
 * whatever has become of its path since. A system call on `at(name)` therefore follows no link but at most `name` itself.
 */
export interface Directory {
  /** Path of the directory while it is held. */
  readonly path: string;
  /** Path of one of its entries while it is held. */
  at(name: string): string;
}

/** Path of what a handle holds, whatever has become of the path by which it was opened. */
export const pathOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

/** The directory that the handle holds; valid as long as the handle is open. */
export const directoryOf = (handle: FileHandle): Directory => ({
  path: pathOf(handle),
  at: (name) => `${pathOf(handle)}/${plainName(name)}`,
});

/** `name`, if it is that of an entry: a path would be followed. */
function plainName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    throw new UnexpectedFileError(`Not the name of a file: ${JSON.stringify(name)}`);
  return name;
}

export interface MissingDirectories {
  /** Owner of the directories that are made; `undefined`: us. */
  readonly uid: number | undefined;
}

/**
 * Runs `use` with the directory at `path` below `root`, which is held meanwhile. No link is followed from `root` on, `root`
 * included; the way to `root` is ours. Throws `UnexpectedFileError` where something else than a directory is on the way. With
 * `make` missing directories are made, else their absence is the system's ENOENT.
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

/** Holds the directory at `path` below the one that `top` holds, as `withDirectory` does. The caller closes it. */
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

/** The names that a relative path is made of; `''` and `.` have none. */
export const segments = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

/** Holds the directory of that name in `directory`, made where it is missing and `make` is given. The caller closes it. */
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

/** Holds the directory at `path`, whose own directory is ours or held; a link is none. The caller closes it. */
export async function holdDirectory(path: string): Promise<FileHandle> {
  try {
    return await open(path, HOLD_DIRECTORY);
  } catch (error) {
    // The kernel says this of a link too.
    if (!hasCode(error, 'ENOTDIR')) throw error;
    const found = await lstat(path).then(kindOf, () => 'something else');
    throw new UnexpectedFileError(`${basename(path)}: expected a directory, found ${found}`);
  }
}
