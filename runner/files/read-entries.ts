import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Directory } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** The largest directories of an ImageBuilder and of a build have some ten thousand entries. */
export const MAX_ENTRIES = 100_000;

/** How many entries are read from the kernel at once. */
const AT_ONCE = 256;

/** A directory has more entries than are read. */
export class TooManyEntriesError extends UnexpectedFileError {}

/**
 * The entries of a held directory. They are read some at a time, and no more than `max`: a build can make millions, and the names of
 * all of them take gigabytes here. Throws `TooManyEntriesError` where there are more.
 */
export async function readEntries(directory: Directory, max = MAX_ENTRIES): Promise<Dirent[]> {
  return (await read(directory, max)) as Dirent[];
}

/** As `readEntries`, with the bytes of each name, which may be no text. */
export async function readRawEntries(directory: Directory, max = MAX_ENTRIES): Promise<Dirent<Buffer>[]> {
  // The types know of no names that are bytes.
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
