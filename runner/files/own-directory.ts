import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { holdDirectory, pathOf } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * Creates a directory of ours and its missing parents with `mode`, and returns its path without links. An operator may
 * have put links into the path; from the returned path on no link is followed.
 */
export async function ownDirectory(path: string, mode = 0o755): Promise<string> {
  await mkdir(path, { recursive: true, mode });
  return realpath(path);
}

/**
 * Creates a directory that only we may enter, in an existing one, and returns its path. It throws when the name is
 * taken by something that is not ours or not a directory.
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

/**
 * Returns the text of a file of ours in a directory of ours, or `undefined` when it does not exist. It follows links,
 * because an operator may have put one there.
 */
export async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Returns the bytes of a file of ours below a directory of ours. Builds may have a second name of the file, but cannot
 * write to it.
 */
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
