import { constants } from 'node:fs';
import { chmod, type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, HOLD, pathOf, withDirectory } from './directory.ts';
import { kindOf, UnexpectedFileError } from './unexpected-file.ts';

/** An open regular file. */
export type PlainFile = FileHandle;

/**
 * Opens a regular file for reading. It determines the kind of the file before it opens it, so it never touches a pipe,
 * a device or a link. It refuses a file with a second name, because that name may belong to another user. It throws
 * `UnexpectedFileError`, or the system's error when there is no file. With `mode` it first changes the file's mode. The
 * caller closes the file.
 */
export async function openPlainFile(directory: Directory, name: string, mode?: number): Promise<FileHandle> {
  const held = await open(directory.at(name), HOLD);
  try {
    const facts = await held.stat();
    if (!facts.isFile() || facts.nlink !== 1) throw new UnexpectedFileError(`${name}: expected a file of its own, found ${kindOf(facts)}`);
    if (mode !== undefined && (facts.mode & 0o7777) !== mode) await chmod(pathOf(held), mode);
    return await open(pathOf(held), constants.O_RDONLY | constants.O_NONBLOCK);
  } finally {
    await held.close();
  }
}

/**
 * Runs `use` with the regular file at `path`, whose directory is ours, and closes it. The rules of `openPlainFile`
 * hold.
 */
export async function withPlainFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await withDirectory(dirname(path), '', (directory) => openPlainFile(directory, basename(path)));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * Returns the content of the regular file at `path` below `root`. A file longer than `maxBytes` is an
 * `UnexpectedFileError`, too.
 */
export async function readPlainFile(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const file = await withDirectory(root, dirname(path), (directory) => openPlainFile(directory, basename(path)));
  try {
    return await readWhole(file, path, maxBytes);
  } finally {
    await file.close();
  }
}

/** Works like `readPlainFile`, but returns `undefined` when the file is missing, not a regular file, or too long. */
export async function readInside(root: string, path: string, maxBytes = MAX_DOCUMENT): Promise<Buffer | undefined> {
  try {
    return await readPlainFile(root, path, maxBytes);
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}

/** The limit on documents that are read whole. The largest are package indexes of one to five megabytes. */
const MAX_DOCUMENT = 32 * 1024 * 1024;

const CHUNK = 256 * 1024;

/** Reads a file to its end. The size is only a hint: a file may grow, and some file systems report 0. */
async function readWhole(file: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= maxBytes && size <= maxBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, maxBytes + 1 - length));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, length);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    chunks.push(chunk.subarray(0, bytesRead));
    length += bytesRead;
  }
  throw new UnexpectedFileError(`${path}: longer than ${maxBytes} bytes`);
}
