import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, rename, rm } from 'node:fs/promises';
import type { Directory } from './directory.ts';
import { pathOf } from './directory.ts';
import { openPlainFile } from './plain-file.ts';
import { createFile } from './put-file.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

export interface CopyOptions {
  /** Owner of the copy; `undefined`: us. */
  readonly uid?: number | undefined;
  /** A longer file is an `UnexpectedFileError`. */
  readonly maxBytes: number;
}

/**
 * Copies the regular file `name` of one held directory to another, by reflink where the file system can, whole or not at all,
 * with mode 0644. A file of that name is replaced. As `openPlainFile`, it takes nothing but a regular file with one name.
 */
export async function copyPlainFile(from: Directory, to: Directory, name: string, { uid, maxBytes }: CopyOptions): Promise<void> {
  const file = await openPlainFile(from, name);
  const temporary = to.at(`.${randomUUID()}`);
  try {
    if ((await file.stat()).size > maxBytes) throw new UnexpectedFileError(`${name}: longer than ${maxBytes} bytes`);
    const copy = await createFile(temporary);
    try {
      // All by the open file: the directory's owner may put something else in its place meanwhile.
      await copyFile(pathOf(file), pathOf(copy), constants.COPYFILE_FICLONE);
      await copy.chmod(0o644);
      if (uid !== undefined) await copy.chown(uid, uid);
    } finally {
      await copy.close();
    }
    await rename(temporary, to.at(name));
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

/** Gives a file of a directory of ours a second name in another, where nothing has that name. */
export const shareFile = (from: Directory, to: Directory, name: string): Promise<void> => link(from.at(name), to.at(name));
