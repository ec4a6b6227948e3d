import type { Dirent } from 'node:fs';
import { hasCode } from '#lib/has-code.ts';
import { withDirectory } from './directory.ts';
import { readEntries, TooManyEntriesError } from './read-entries.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * The entries of the directory at `path` below `root`; none where there is no directory, or one that may not be read. Throws
 * `TooManyEntriesError` where there are more than `max`.
 */
export async function entriesInside(root: string, path: string, max?: number): Promise<Dirent[]> {
  try {
    return await withDirectory(root, path, (directory) => readEntries(directory, max));
  } catch (error) {
    if (error instanceof TooManyEntriesError) throw error;
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

/** Whether there is a directory at `path` below `root`, no link on the way. */
export async function isDirectoryInside(root: string, path: string): Promise<boolean> {
  try {
    return await withDirectory(root, path, async () => true);
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT', 'EACCES')) return false;
    throw error;
  }
}
