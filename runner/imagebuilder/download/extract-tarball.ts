import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { dirname, posix } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { hasCode } from '#lib/has-code.ts';
import { type PlainFile, withPlainFile } from '#runner/files/plain-file.ts';
import { type TreeWriter, treeWriter } from '#runner/files/tree-writer.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import { findTool } from '../sandbox/host-tools.ts';
import { TOOL_PATH } from '../sandbox/sandbox.ts';
import { completeFile, contentOf, type Growth } from './growing-file.ts';
import { MAGIC_BYTES, tarballFormat } from './tarball-format.ts';

/**
 * The limits on entries and size. Real ImageBuilders have tens of thousands of entries and unpack to less than 2 GB:
 * more is an attack or an accident.
 */
const MAX_ENTRIES = 500_000;
const MAX_BYTES = 16 * 1024 ** 3;

/** The limits on paths. Real ones have some 200 characters and twenty nested directories. */
const MAX_DEPTH = 64;
const MAX_PATH_LENGTH = 1024;

/** The limit on all paths together, which stay in memory until the end. Real ones take four megabytes. */
const MAX_PATHS_LENGTH = 64 * 1024 * 1024;

/**
 * The places outside of its own tree where links of an ImageBuilder may lead: tools of the host, and places of the
 * device's own file system.
 */
const SYSTEM_PLACES = ['/usr/', '/bin/', '/sbin/', '/lib/', '/lib64/', '/tmp/', '/var/', '/proc/', '/dev/null'];

/**
 * The memory for xz. Files of `xz -9` need 65 MB to unpack, but a file may ask for 4 GB. xz unpacks several blocks at
 * once if they fit.
 */
const XZ_MEMORY = '512MiB';

/** Zstandard's own limit for files made with `--long`/`-19`: 128 MB windows. */
const ZSTD_WINDOW_LOG = 27;

/**
 * Unpacks a `.tar.xz` or `.tar.zst` into `directory` (which exists and is empty) without the single top directory that
 * ImageBuilder tarballs have, and returns the bytes written. It refuses absolute names, `..`, links out of the tree,
 * devices, two entries of one name unless both are directories, and anything that would be created or changed through a
 * link. It throws `InfrastructureFailure` for a broken tarball, and the system's error when the disk is full. `growth`
 * says how far the tarball is written, if it is still being written; its first bytes must be there.
 */
export async function extractTarball(
  tarball: string,
  directory: string,
  signal: AbortSignal,
  growth: Growth = completeFile,
): Promise<number> {
  const writer = await treeWriter(directory);
  try {
    return await withPlainFile(tarball, (file) => extractFrom(file, growth, writer, signal));
  } finally {
    await writer.close();
  }
}

async function extractFrom(tarball: PlainFile, growth: Growth, writer: TreeWriter, signal: AbortSignal): Promise<number> {
  const written: Written = { writer, bytes: 0, entries: 0, pathsLength: 0, links: new Set(), directories: new Map() };
  const unpack = extract();
  const decompressed = await decompress(tarball, growth, signal);
  const feeding = pipeline(decompressed.stream, unpack as unknown as NodeJS.WritableStream, { signal });
  feeding.catch(() => undefined);
  try {
    for await (const entry of unpack) {
      await place(entry.header, entry as AsyncIterable<Uint8Array>, written);
      entry.resume();
    }
    await feeding;
    await decompressed.finished;
    // This comes last, innermost first: a directory may be read-only, and writing into it changes its time.
    for (const [path, facts] of [...written.directories].reverse()) await writer.setFacts(path, facts);
  } catch (error) {
    signal.throwIfAborted();
    unpack.destroy();
    decompressed.stream.destroy();
    if (error instanceof InfrastructureFailure) throw error;
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    throw new InfrastructureFailure(`The ImageBuilder's tarball cannot be unpacked: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return written.bytes;
}

interface Written {
  readonly writer: TreeWriter;
  bytes: number;
  entries: number;
  pathsLength: number;
  /** The paths within the tree that are symbolic links: nothing is created, changed or renamed through them. */
  readonly links: Set<string>;
  readonly directories: Map<string, { mode: number; mtime: Date | undefined }>;
}

async function place(header: Header, body: AsyncIterable<Uint8Array>, written: Written): Promise<void> {
  written.pathsLength += header.name.length;
  if (++written.entries > MAX_ENTRIES || written.pathsLength > MAX_PATHS_LENGTH)
    throw new InfrastructureFailure('The ImageBuilder has too many files');
  const path = insidePath(header.name, written);
  if (path === undefined) return;
  const { writer, links } = written;
  // The mode is never set-uid, set-gid or sticky, and the owner can always read.
  const mode = (header.mode ?? 0o644) & 0o777;

  switch (header.type) {
    case 'directory':
      if (links.has(path)) throw throughLink(header.name);
      await writer.directory(path).catch(notInPlace(header.name));
      written.directories.set(path, { mode: mode | 0o700, mtime: header.mtime });
      return;
    case 'file':
    case 'contiguous-file':
      written.bytes += header.size ?? 0;
      if (written.bytes > MAX_BYTES) throw new InfrastructureFailure('The ImageBuilder is too large');
      await writer.file(path, body, { mode: mode | 0o400, mtime: header.mtime }).catch(notInPlace(header.name));
      return;
    case 'symlink': {
      const to = header.linkname ?? '';
      if (!staysInside(path, to))
        throw new InfrastructureFailure(`The ImageBuilder's tarball has a link out of its tree: ${shown(header.name)} -> ${shown(to)}`);
      await writer.link(path, to).catch(notInPlace(header.name));
      links.add(path);
      return;
    }
    case 'link': {
      const to = insidePath(header.linkname ?? '', written);
      const bad = () => new InfrastructureFailure(`The ImageBuilder's tarball has a bad hard link: ${shown(header.name)}`);
      if (to === undefined || links.has(to)) throw bad();
      await writer.secondName(path, to).catch((error: unknown) => {
        throw error instanceof UnexpectedFileError || hasCode(error, 'ENOENT') ? bad() : error;
      });
      return;
    }
    default:
      throw new InfrastructureFailure(`The ImageBuilder's tarball has a ${header.type}: ${shown(header.name)}`);
  }
}

/**
 * Returns the path below the top directory, or `undefined` for that directory itself. Throws for a name that leads
 * elsewhere.
 */
function insidePath(name: string, { links }: Written): string | undefined {
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (name.startsWith('/') || name.includes('\0') || segments.includes('..'))
    throw new InfrastructureFailure(`The ImageBuilder's tarball has a name that leads out of its tree: ${shown(name)}`);
  const inside = segments.slice(1);
  if (inside.length > MAX_DEPTH || name.length > MAX_PATH_LENGTH)
    throw new InfrastructureFailure(`The ImageBuilder's tarball has a path that is too deep: ${shown(name)}`);
  for (let depth = 1; depth < inside.length; depth++) if (links.has(inside.slice(0, depth).join('/'))) throw throughLink(name);
  return inside.length === 0 ? undefined : inside.join('/');
}

/** Returns a name for use in a message: its beginning, on one line. */
const shown = (name: string): string => name.slice(0, 200).replace(/[\x00-\x1f\x7f]/g, '?');

const throughLink = (name: string) => new InfrastructureFailure(`The ImageBuilder's tarball writes through a link: ${shown(name)}`);

/** Reports that the tree has something else in place of a directory that the entry needs. */
const notInPlace = (name: string) => (error: unknown) => {
  if (!(error instanceof UnexpectedFileError)) throw error;
  throw new InfrastructureFailure(`The ImageBuilder's tarball has no directory for ${shown(name)}: ${error.message}`, { cause: error });
};

function staysInside(path: string, to: string): boolean {
  if (to === '' || to.includes('\0')) return false;
  if (to.startsWith('/')) return SYSTEM_PLACES.some((place) => posix.normalize(to).startsWith(place));
  const resolved = posix.normalize(posix.join(dirname(path), to));
  return resolved !== '..' && !resolved.startsWith('../');
}

interface Decompressed {
  readonly stream: Readable;
  /** Rejects when the compressed file is broken. */
  readonly finished: Promise<void>;
}

async function decompress(tarball: PlainFile, growth: Growth, signal: AbortSignal): Promise<Decompressed> {
  const head = Buffer.alloc(MAGIC_BYTES);
  await tarball.read(head, 0, MAGIC_BYTES, 0);
  const compressed = contentOf(tarball, growth, signal);
  switch (tarballFormat(head)) {
    case 'zst': {
      const stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
      const finished = pipeline(compressed, stream, { signal });
      finished.catch(() => undefined);
      return { stream, finished };
    }
    case 'xz':
      return decompressXz(compressed, signal);
    case undefined:
      throw new InfrastructureFailure('The ImageBuilder is neither .tar.xz nor .tar.zst');
  }
}

/** Unpacks xz with the host's program, because Node does not support xz. */
async function decompressXz(compressed: AsyncIterable<Buffer>, signal: AbortSignal): Promise<Decompressed> {
  const xz = await findTool('xz');
  if (xz === undefined) throw new InfrastructureFailure('xz is not installed on this machine, and the ImageBuilder is a .tar.xz');
  const child = spawn(xz, ['--decompress', '--stdout', '--threads=0', `--memlimit-decompress=${XZ_MEMORY}`], {
    env: { PATH: TOOL_PATH, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  }) as ChildProcessByStdio<Writable | null, Readable | null, Readable | null>;
  let said = '';
  const finished = new Promise<void>((resolve, reject) => {
    // First of all, since a process without a file descriptor to spare gets a child that has no streams.
    child.once('error', (error) => reject(new InfrastructureFailure(`xz cannot be run: ${error.message}`, { cause: error })));
    child.once('close', (code) =>
      code === 0
        ? resolve()
        : reject(new InfrastructureFailure(`The ImageBuilder's tarball cannot be unpacked: ${said.trim() || 'xz failed'}`)),
    );
  });
  if (!child.stdin || !child.stdout || !child.stderr) {
    await finished;
    throw new InfrastructureFailure('xz cannot be run');
  }
  const { stdout, stderr } = child;
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 500);
  });
  // When xz ends before it has read everything, `finished` says why.
  pipeline(compressed, child.stdin, { signal }).catch(() => undefined);
  finished.catch((error: unknown) => stdout.destroy(error instanceof Error ? error : undefined));
  return { stream: stdout, finished };
}
