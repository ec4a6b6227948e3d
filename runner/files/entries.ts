import type { Dirent } from 'node:fs';
import { hasCode } from '#lib/has-code.ts';
import { withDirectory } from './directory.ts';
import { readEntries, TooManyEntriesError } from './read-entries.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * Returns the entries of the directory at `path` below `root`; none when it does not exist or may not be read. It
 * throws `TooManyEntriesError` when there are more than `max`.
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

/** Returns whether there is a directory at `path` below `root`, with no link on the way. */
export async function isDirectoryInside(root: string, path: string): Promise<boolean> {
  try {
    return await withDirectory(root, path, async () => true);
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT', 'EACCES')) return false;
    throw error;
  }
}
