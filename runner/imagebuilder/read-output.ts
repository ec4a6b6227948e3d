import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, realpath, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltFile } from '#core/build-output.ts';
import { hasCode } from './has-code.ts';
import { isOutputName } from './output-name.ts';

/** Documents that are read whole; a real one has kilobytes. */
const MAX_DOCUMENT = 64 * 1024 * 1024;

/**
 * Takes what a build left out of its reach: moves BIN_DIR to `destination`, which the build cannot write to, and answers its regular files of
 * expected names, hashed. Links, directories and anything else are left where they are and named in `ignored`. Call it
 * when no process of the build is left. No BIN_DIR: no files.
 */
export async function takeOutput(binDir: string, destination: string): Promise<{ files: BuiltFile[]; ignored: string[] }> {
  const facts = await lstat(binDir).catch(() => undefined);
  if (!facts?.isDirectory()) return { files: [], ignored: facts === undefined ? [] : ['BIN_DIR itself'] };
  await mkdir(destination, { mode: 0o700 });
  const files: BuiltFile[] = [];
  const ignored: string[] = [];
  for (const name of (await readdir(binDir)).sort()) {
    const path = join(binDir, name);
    const stat = await lstat(path);
    // Another name of the file elsewhere: it may be anything that the build could link to.
    if (!stat.isFile() || stat.nlink !== 1 || !isOutputName(name)) {
      ignored.push(name);
      continue;
    }
    const taken = join(destination, name);
    await rename(path, taken);
    await chmod(taken, 0o644);
    files.push({ name, path: taken, ...(await hashFile(taken)) });
  }
  return { files, ignored };
}

/** Size and SHA-256 of a regular file; a link is an error. */
async function hashFile(path: string): Promise<{ size: number; sha256: string }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const part of file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 })) {
      hash.update(part as Buffer);
      size += (part as Buffer).length;
    }
    return { size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Content of a regular file that lies, links resolved, below `root`. `undefined`: there is none. */
export async function readInside(root: string, path: string): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    const [realRoot, real] = await Promise.all([realpath(root), realpath(join(root, path))]);
    if (!real.startsWith(`${realRoot}/`)) return undefined;
    file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > MAX_DOCUMENT) return undefined;
    return await file.readFile();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}
