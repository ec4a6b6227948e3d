import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { holdDirectory, pathOf } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * Makes a directory of ours with the ones above it, each with `mode`, and answers its path without links. An operator may have
 * led the path elsewhere; from there on no link is followed.
 */
export async function ownDirectory(path: string, mode = 0o755): Promise<string> {
  await mkdir(path, { recursive: true, mode });
  return realpath(path);
}

/**
 * Makes a directory that nobody but us may enter, in one that exists, and answers its path. Throws where something that is not ours, or
 * no directory, has its name.
 */
export async function closedDirectory(path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
  const handle = await holdDirectory(path);
  try {
    if ((await handle.stat()).uid !== process.getuid?.()) throw new UnexpectedFileError(`${path} belongs to another user`);
    await chmod(pathOf(handle), 0o700);
    await access(pathOf(handle), constants.W_OK);
    return path;
  } finally {
    await handle.close();
  }
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

/** The bytes of a file of ours below a directory of ours, also one that builds have a second name of and cannot write to. */
export async function readOwnBytes(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return (await file.stat()).isFile() ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
