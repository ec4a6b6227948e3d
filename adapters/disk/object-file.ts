import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Artifact } from '#core/stores.ts';
import { identityOf } from './identity.ts';
import type { ObjectPlace } from './object-place.ts';
import { storedMeta } from './stored-meta.ts';

/**
 * The codes for a path that leads to no object: nothing is there, a parent is no directory, a link is in the way, a
 * name is too long.
 */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO']);

export const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && ABSENT.has(String(error.code));

/** Flags to open a regular file: links are not followed, and opening a FIFO does not wait for a writer. */
export const READ_PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type ObjectFacts = Omit<Artifact, 'body'>;

/** Fills the buffer with the bytes from `position` on, and throws when the file ends before the buffer is full. */
export function readFully(fd: number, buffer: Buffer, position: number): void {
  for (let done = 0; done < buffer.length; ) {
    const read = readSync(fd, buffer, done, buffer.length - done, position + done);
    if (read === 0) throw new Error('An object file ended early');
    done += read;
  }
}

/**
 * Opens an object and passes its facts and descriptor to `use`, which owns the descriptor from then on if it returns
 * `keep`. Synchronous on purpose: every GET of a finished build comes through here, and reads from the page cache take
 * 25 µs, while four calls in the thread pool take 160. Links are followed neither at the end of the path nor on the
 * way.
 */
export function withObject<T>(place: ObjectPlace, use: (facts: ObjectFacts, fd: number) => { value: T; keep?: boolean }): T | undefined {
  const { path } = place;
  let fd: number;
  try {
    const directory = dirname(path);
    if (realpathSync.native(directory) !== directory) return undefined;
    fd = openSync(path, READ_PLAIN);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  let isHandedOver = false;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const identity = identityOf(stat);
    const facts = { size: stat.size, etag: `"${identity}"`, lastModified: stat.mtime, meta: storedMeta(place, identity) };
    const { value, keep = false } = use(facts, fd);
    isHandedOver = keep;
    return value;
  } finally {
    if (!isHandedOver) closeSync(fd);
  }
}
