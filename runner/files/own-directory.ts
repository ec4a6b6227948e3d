import { mkdir, readFile, realpath } from 'node:fs/promises';
import { hasCode } from '#runner/imagebuilder/process/has-code.ts';

/**
 * Makes a directory of ours with the ones above it, each with `mode`, and answers its path without links. An operator may have
 * led the path elsewhere; from there on no link is followed.
 */
export async function ownDirectory(path: string, mode = 0o755): Promise<string> {
  await mkdir(path, { recursive: true, mode });
  return realpath(path);
}

/** The text of a file of ours in a directory of ours; an operator may have put a link there. `undefined`: there is none. */
export async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
