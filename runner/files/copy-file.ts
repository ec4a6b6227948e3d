import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, rename, rm } from 'node:fs/promises';
import type { Directory } from './directory.ts';
import { pathOf } from './directory.ts';
import { openPlainFile } from './plain-file.ts';
import { createFile } from './put-file.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

export interface CopyOptions {
  /** The owner of the copy; `undefined` stands for the server's own user. */
  readonly uid?: number | undefined;
  /** The largest size that is copied. A larger file is an `UnexpectedFileError`. */
  readonly maxBytes: number;
}

/**
 * Copies the regular file `name` from one held directory to another, whole or not at all, with mode 0644, and by
 * reflink where the file system supports it. It replaces a file of that name. Like `openPlainFile`, it accepts only a
 * regular file with one name.
 */
export async function copyPlainFile(from: Directory, to: Directory, name: string, { uid, maxBytes }: CopyOptions): Promise<void> {
  const file = await openPlainFile(from, name);
  const temporary = to.at(`.${randomUUID()}`);
  try {
    if ((await file.stat()).size > maxBytes) throw new UnexpectedFileError(`${name}: longer than ${maxBytes} bytes`);
    const copy = await createFile(temporary);
    try {
      // Every step uses the open file: the directory's owner may replace it meanwhile.
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

/** Gives a file in one of our directories a second name in another one. The name must be free there. */
export const shareFile = (from: Directory, to: Directory, name: string): Promise<void> => link(from.at(name), to.at(name));
