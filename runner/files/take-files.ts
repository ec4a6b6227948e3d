import { type FileHandle, lstat, readdir, rename } from 'node:fs/promises';
import { hasCode } from '#runner/imagebuilder/has-code.ts';
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
}

/**
 * Moves the regular files of a build's directory out of its reach and shows each, opened, to `use`. Links, directories, files with
 * a second name and names that are not wanted stay; their names are the answer, in order. `[]` where there is no directory;
 * `undefined` where there is something else in its place.
 */
export async function takeFiles(
  { root, path, destination, isWanted }: Taking,
  use: (name: string, file: FileHandle) => Promise<void>,
): Promise<string[] | undefined> {
  try {
    return await withDirectory(root, path, async (from) => {
      await makeDirectory(destination, { mode: 0o700 });
      return withDirectory(destination, '', async (to) => {
        const left: string[] = [];
        for (const name of (await readdir(from.path)).sort()) {
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
