import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Artifact } from '#core/stores.ts';
import { identityOf } from './identity.ts';
import { storedMeta } from './stored-meta.ts';
import type { ObjectPlace } from './object-place.ts';

/** What the file system answers for a path that leads to no file: nothing there, a directory on the way, a link, a name too long. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO']);

export const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && ABSENT.has(String(error.code));

/** NONBLOCK: opening a FIFO must not wait for a writer. */
export const READ_PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type ObjectFacts = Omit<Artifact, 'body'>;

/** Fills the buffer from the position on; a file of this store does not end early. */
export function readFully(fd: number, buffer: Buffer, position: number): void {
  for (let done = 0; done < buffer.length; ) {
    const read = readSync(fd, buffer, done, buffer.length - done, position + done);
    if (read === 0) throw new Error('An object file ended early');
    done += read;
  }
}

/**
 * Opens an object and hands its facts and descriptor to `use`, which owns the descriptor when it answers `keep`. Synchronous
 * on purpose: from the page cache this takes 25 µs, four trips through the thread pool 160, and it is the path of every GET
 * of a finished build. Links are followed neither at the end nor on the way.
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
  let kept = false;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const identity = identityOf(stat);
    const facts = { size: stat.size, etag: `"${identity}"`, lastModified: stat.mtime, meta: storedMeta(place, identity) };
    const { value, keep = false } = use(facts, fd);
    kept = keep;
    return value;
  } finally {
    if (!kept) closeSync(fd);
  }
}
