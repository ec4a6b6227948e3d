import { unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { withDirectory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** Removes the file or link at `path` below `root`. It ignores a missing file, and leaves a directory in place. */
export async function removeInside(root: string, path: string): Promise<void> {
  try {
    await withDirectory(root, dirname(path), (directory) => unlink(directory.at(basename(path))));
  } catch (error) {
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'ENOENT', 'EISDIR')) throw error;
  }
}
