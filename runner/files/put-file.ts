import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, link, mkdir, open, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, holdDirectory, pathOf, withDirectory } from './directory.ts';

export interface PutOptions {
  /** The owner of the file and of the directories made for it; `undefined` stands for the server's own user. */
  readonly uid?: number | undefined;
  /** The file's mode, independent of the umask. The default is 0644. */
  readonly mode?: number;
  /** Whether the file is flushed to the disk before it becomes visible. */
  readonly flush?: boolean;
}

/**
 * Puts a file at `path` below `root`, whole or not at all. It replaces an existing file or link without following it,
 * and creates missing directories. It throws `UnexpectedFileError` when something other than a directory is in the way.
 */
export function putFile(root: string, path: string, content: string | Uint8Array, options: PutOptions = {}): Promise<void> {
  const { uid } = options;
  return withDirectory(root, dirname(path), (directory) => putEntry(directory, basename(path), content, options), { uid });
}

async function putEntry(directory: Directory, name: string, content: string | Uint8Array, options: PutOptions): Promise<void> {
  await withWritten(directory, content, options, (temporary) => rename(temporary, directory.at(name)));
}

/**
 * Puts a file of ours into `root`, whole or not at all, and flushes it to the disk. An existing file of that name
 * stays.
 */
export function putNewFile(root: string, name: string, content: string, mode: number): Promise<void> {
  return withDirectory(root, '', (directory) =>
    withWritten(directory, content, { mode, flush: true }, async (temporary) => {
      await link(temporary, directory.at(name)).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      });
    }),
  );
}

/** Runs `publish` with the path of a temporary file that holds the content, and removes the temporary file. */
async function withWritten(
  directory: Directory,
  content: string | Uint8Array,
  { uid, mode = 0o644, flush = false }: PutOptions,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = directory.at(`.${randomUUID()}`);
  try {
    const file = await createFile(temporary);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      if (uid !== undefined) await file.chown(uid, uid);
      if (flush) await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Creates a new file for reading and writing that only we can open. The path to it must belong to us. The caller closes
 * it.
 */
export const createFile = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);

/** Creates a new directory. The path to it must belong to us. */
export async function makeDirectory(path: string, { uid, mode }: { uid?: number | undefined; mode: number }): Promise<void> {
  await mkdir(path, { mode });
  const handle = await holdDirectory(path);
  try {
    await chmod(pathOf(handle), mode);
    if (uid !== undefined) await chown(pathOf(handle), uid, uid);
  } finally {
    await handle.close();
  }
}

/** Creates a directory below `root` and its missing parents, all owned by `uid`. */
export const putDirectory = (root: string, path: string, uid: number | undefined): Promise<void> =>
  withDirectory(root, path, async () => undefined, { uid });

/** Creates a link at `path` below `root`. The name must be free, and its directory must exist. */
export const putLink = (root: string, path: string, to: string): Promise<void> =>
  withDirectory(root, dirname(path), (directory) => symlink(to, directory.at(basename(path))));
