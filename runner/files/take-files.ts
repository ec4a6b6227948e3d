import { type FileHandle, lstat, opendir, rename } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, withDirectory } from './directory.ts';
import { openPlainFile } from './plain-file.ts';
import { makeDirectory } from './put-file.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * The directory at `path` below `root`. Its wanted files are moved to `destination`, a directory of ours that this
 * creates.
 */
export interface Taking {
  readonly root: string;
  readonly path: string;
  readonly destination: string;
  readonly isWanted: (name: string) => boolean;
  /** Called with everything that is there before anything is moved. It may throw. */
  readonly count?: FileCount;
}

/** Counts the entries of a directory, and the wanted files among them. */
export interface FileCount {
  addEntry(): void;
  addFile(name: string, size: number): void;
}

/**
 * Moves the regular files of a build's directory out of the build's reach, and passes each one, opened, to `use`.
 * Links, directories, files with a second name and unwanted names stay. Returns the names of what stays, in order; `[]`
 * when there is no directory, and `undefined` when something else has its name.
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

/** Returns the names of a directory's entries, in order. It reads them one by one, because there may be millions. */
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

/** The mode that a taken file gets. The build may have denied us access to it. */
const TAKEN_MODE = 0o644;

/** Moves a file, then checks it: in its new place only we can change what it is. */
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
