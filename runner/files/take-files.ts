import { type FileHandle, lstat, opendir, rename } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, withDirectory } from './directory.ts';
import { openPlainFile } from './plain-file.ts';
import { makeDirectory } from './put-file.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** The directory at `path` below `root`, of which the wanted files are moved to `destination`, a directory of ours that is made. */
export interface Taking {
  readonly root: string;
  readonly path: string;
  readonly destination: string;
  readonly isWanted: (name: string) => boolean;
  /** Sees all that is there before anything is moved; may throw. */
  readonly count?: FileCount;
}

/** What counts the entries of a directory, and the wanted files among them. */
export interface FileCount {
  addEntry(): void;
  addFile(name: string, size: number): void;
}

/**
 * Moves the regular files of a build's directory out of its reach and shows each, opened, to `use`. Links, directories, files with
 * a second name and names that are not wanted stay; their names are the answer, in order. `[]` where there is no directory;
 * `undefined` where there is something else in its place.
 */
export async function takeFiles(
  { root, path, destination, isWanted, count }: Taking,
  use: (name: string, file: FileHandle) => Promise<void>,
): Promise<string[] | undefined> {
  try {
    return await withDirectory(root, path, async (from) => {
      await makeDirectory(destination, { mode: 0o700 });
      return withDirectory(destination, '', async (to) => {
        const left: string[] = [];
        for (const name of await counted(from, isWanted, count)) {
          const file = isWanted(name) ? await take(from, to, name) : undefined;
          if (file === undefined) left.push(name);
          else
            try {
              await use(name, file);
            } finally {
              await file.close();
            }
        }
        return left;
      });
    });
  } catch (error) {
    if (error instanceof UnexpectedFileError) return undefined;
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The names of a directory's entries, in order. They are read one by one: there may be millions. */
async function counted(from: Directory, isWanted: Taking['isWanted'], count: FileCount | undefined): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(from.path)) {
    count?.addEntry();
    names.push(name);
  }
  for (const name of count === undefined ? [] : names.filter(isWanted)) {
    const facts = await lstat(from.at(name));
    if (facts.isFile()) count?.addFile(name, facts.size);
  }
  return names.sort();
}

/** The build may have closed it to us. */
const TAKEN_MODE = 0o644;

/** Moved first and looked at then: where it lies now, nobody else changes what it is. */
async function take(from: Directory, to: Directory, name: string): Promise<FileHandle | undefined> {
  const facts = await lstat(from.at(name));
  if (!facts.isFile() || facts.nlink !== 1) return undefined;
  await rename(from.at(name), to.at(name));
  try {
    return await openPlainFile(to, name, TAKEN_MODE);
  } catch (error) {
    if (!(error instanceof UnexpectedFileError)) throw error;
    await rename(to.at(name), from.at(name));
    return undefined;
  }
}
