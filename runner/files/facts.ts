import type { Stats } from 'node:fs';
import { lstat, lutimes, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, withDirectory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';
import { useTimes } from './use-times.ts';

/**
 * Returns the facts of an entry of a held directory, or `undefined` when it does not exist. It does not follow links.
 */
export async function factsOf(directory: Directory, name: string): Promise<Stats | undefined> {
  try {
    return await lstat(directory.at(name));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Returns the facts of the entry at `path` below `root`, or `undefined` when it does not exist. It does not follow
 * links.
 */
export async function factsInside(root: string, path: string): Promise<Stats | undefined> {
  try {
    return await withDirectory(root, dirname(path), (directory) => factsOf(directory, basename(path)));
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const nextUse = useTimes();

/** Sets the times of the entry at `path` below `root` to now, and always later than those of entries touched before. */
export function touchInside(root: string, path: string): Promise<void> {
  const time = nextUse();
  return withDirectory(root, dirname(path), (directory) => lutimes(directory.at(basename(path)), time, time));
}

/**
 * Renames an entry of `root`. It throws the system's ENOTEMPTY or EEXIST when a directory with content has the new
 * name.
 */
export const renameInside = (root: string, from: string, to: string): Promise<void> => moveEntry(root, from, root, to);

/** Moves an entry from one directory of ours to another on the same file system, and throws as `renameInside` does. */
export const moveEntry = (root: string, name: string, toRoot: string, toName: string): Promise<void> =>
  withDirectory(root, '', (from) => withDirectory(toRoot, '', (to) => rename(from.at(name), to.at(toName))));
