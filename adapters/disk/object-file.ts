import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Artifact, ArtifactMeta } from '#core/ports.ts';

/**
 * One file per object: a header of fixed size, then the bytes (`tail -c +1025 FILE` shows them). With the meta in the file, one
 * rename publishes both, and one open reads both; meta in a file beside it could belong to an earlier or later object.
 */
export const HEADER_BYTES = 1024;
const MAGIC = 'asu-object-1 ';

interface Header {
  readonly etag: string;
  readonly meta: ArtifactMeta;
}

export function encodeHeader(header: Header): Buffer {
  const text = Buffer.from(`${MAGIC}${JSON.stringify(header)}`);
  if (text.length >= HEADER_BYTES) throw new RangeError(`The meta of an object has at most ${HEADER_BYTES} bytes`);
  const block = Buffer.alloc(HEADER_BYTES, ' ');
  text.copy(block);
  block[HEADER_BYTES - 1] = 0x0a;
  return block;
}

function decodeHeader(block: Buffer, path: string): Header {
  const text = block.toString('utf8');
  if (!text.startsWith(MAGIC)) throw new Error(`Not an object file: ${path}`);
  return JSON.parse(text.slice(MAGIC.length)) as Header;
}

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
export function withObject<T>(path: string, use: (facts: ObjectFacts, fd: number) => { value: T; keep?: boolean }): T | undefined {
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
    const block = Buffer.allocUnsafe(HEADER_BYTES);
    readFully(fd, block, 0);
    const { etag, meta } = decodeHeader(block, path);
    const { value, keep = false } = use({ size: stat.size - HEADER_BYTES, etag, lastModified: stat.mtime, meta }, fd);
    kept = keep;
    return value;
  } finally {
    if (!kept) closeSync(fd);
  }
}
