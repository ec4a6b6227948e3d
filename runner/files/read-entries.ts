import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Directory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** The limit on entries. The largest directories of an ImageBuilder and of a build have tens of thousands. */
export const MAX_ENTRIES = 100_000;

/** The number of entries that are read from the kernel at once. */
const AT_ONCE = 256;

/** Thrown when a directory has more entries than the limit. */
export class TooManyEntriesError extends UnexpectedFileError {}

/**
 * Returns the entries of a held directory. It reads a few at a time and no more than `max`: a build can create
 * millions, and all their names would take gigabytes here. It throws `TooManyEntriesError` when there are more.
 */
export async function readEntries(directory: Directory, max = MAX_ENTRIES): Promise<Dirent[]> {
  return (await read(directory, max)) as Dirent[];
}

/** Works like `readEntries`, but returns each name as bytes, because a name may not be text. */
export async function readRawEntries(directory: Directory, max = MAX_ENTRIES): Promise<Dirent<Buffer>[]> {
  // Node's types do not declare names as bytes.
  return (await read(directory, max, 'buffer' as BufferEncoding)) as unknown as Dirent<Buffer>[];
}

async function read(directory: Directory, max: number, encoding: BufferEncoding = 'utf8'): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of await opendir(directory.path, { encoding, bufferSize: AT_ONCE })) {
    if (entries.length === max) throw new TooManyEntriesError(`a directory with more than ${max} entries`);
    entries.push(entry);
  }
  return entries;
}
