import type { Stats } from 'node:fs';
import { lstat, lutimes, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, withDirectory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';
import { useTimes } from './use-times.ts';

/** What is known of an entry of a held directory, of a link itself; `undefined`: there is none. */
export async function factsOf(directory: Directory, name: string): Promise<Stats | undefined> {
  try {
    return await lstat(directory.at(name));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** What is known of the entry at `path` below `root`, of a link itself; `undefined`: there is none. */
export async function factsInside(root: string, path: string): Promise<Stats | undefined> {
  try {
    return await withDirectory(root, dirname(path), (directory) => factsOf(directory, basename(path)));
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const nextUse = useTimes();

/** Sets the times of the entry at `path` below `root` to now, and later than those of what this process touched before. */
export function touchInside(root: string, path: string): Promise<void> {
  const time = nextUse();
  return withDirectory(root, dirname(path), (directory) => lutimes(directory.at(basename(path)), time, time));
}

/** Gives an entry of `root` another name there. Throws the system's ENOTEMPTY or EEXIST where a directory with content has it. */
export const renameInside = (root: string, from: string, to: string): Promise<void> =>
  withDirectory(root, '', (directory) => rename(directory.at(from), directory.at(to)));
