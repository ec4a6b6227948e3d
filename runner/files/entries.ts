import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hasCode } from '#runner/imagebuilder/process/has-code.ts';
import { withDirectory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** The entries of the directory at `path` below `root`; none where there is no directory, or one that may not be read. */
export async function entriesInside(root: string, path: string): Promise<Dirent[]> {
  try {
    return await withDirectory(root, path, (directory) => readdir(directory.path, { withFileTypes: true }));
  } catch (error) {
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
