import { constants } from 'node:fs';
import { chmod, type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { type Directory, HOLD, pathOf, withDirectory } from './directory.ts';
import { kindOf, UnexpectedFileError } from './unexpected-file.ts';

/** A regular file that is open. */
export type PlainFile = FileHandle;

/**
 * Opens a regular file for reading, and nothing else: what it is is known before it is opened, so no pipe, no device and no link
 * is ever touched. A file with a second name is refused, since that may be anybody's. Throws `UnexpectedFileError`, or the
 * system's error where there is none. With `mode` the file is given it first. The caller closes it.
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

/** Runs `use` with the regular file at `path`, whose directory is ours, and closes it. As `openPlainFile`. */
export async function withPlainFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await withDirectory(dirname(path), '', (directory) => openPlainFile(directory, basename(path)));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** The content of the regular file at `path` below `root`. A longer one than `maxBytes` is an `UnexpectedFileError` too. */
export async function readPlainFile(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const file = await withDirectory(root, dirname(path), (directory) => openPlainFile(directory, basename(path)));
  try {
    return await readWhole(file, path, maxBytes);
  } finally {
    await file.close();
  }
}

/** As `readPlainFile`, but `undefined` where there is no such file, something else in its place, or one that is too long. */
export async function readInside(root: string, path: string, maxBytes = MAX_DOCUMENT): Promise<Buffer | undefined> {
  try {
    return await readPlainFile(root, path, maxBytes);
  } catch (error) {
    if (error instanceof UnexpectedFileError || hasCode(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}

/** Documents that are read whole; the largest are package indexes, of a megabyte or five. */
const MAX_DOCUMENT = 32 * 1024 * 1024;

const CHUNK = 256 * 1024;

/** Not by its size beforehand: a file may grow, and one of some file systems says that it is empty. */
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
