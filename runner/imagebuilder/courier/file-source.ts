import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import { messageOf } from '#lib/message-of.ts';
import type { PackageCache } from '../cache/package-cache.ts';
import { digestOf } from '../tree/digest-of.ts';
import type { RepositoryIndex } from '../tree/repository-indexes.ts';
import { FetchFailure, type ListedFetch } from './fetch-listed.ts';
import { isIndex, isPackage, isSignature } from './file-forms.ts';
import type { ListedFile } from './listed-files.ts';
import { originFetch } from './origin-fetch.ts';

/**
 * The source of the files that a build may have: the package cache, or upstream. A file that does not match its index
 * goes to no build.
 */
export interface FileSource {
  /**
   * Returns the content of a file; it has at most `room` bytes. Throws `FetchFailure`, or the signal's
   * reason. Ask for an index before its signature, because the cached signature depends on the index.
   */
  get(file: ListedFile, room: number): Promise<Buffer>;
  /** Asks servers again that have failed to deliver files. */
  forgive(): void;
  /** Returns the SHA-256 of the indexes fetched so far, by source. */
  digests(): ReadonlyMap<string, string>;
  /**
   * Whether the cache gave or was given a signature, or a package without a digest in its index: only the build can
   * check those.
   */
  sharesUnverified(): boolean;
}

export interface FileSourceOptions extends ListedFetch {
  /**
   * The expected digests of the indexes. Matching indexes, and the packages that they list, are cached for other
   * builds.
   */
  readonly expected: IndexDigests;
  /** The cache; `undefined` for a build that may not use it. */
  readonly cached: CachedFiles | undefined;
  readonly log: (line: string) => void;
}

export interface CachedFiles {
  readonly packages: PackageCache;
  readonly key: string;
  /**
   * Whether only files of OpenWrt count whose content the expected digests fix: its indexes, and the packages whose
   * digests they have. A build with repositories or keys of the client shares no other file with other builds.
   */
  readonly pinnedOnly?: boolean;
}

/** The limit on an index, which is the same in the catalogue. */
const MAX_INDEX = 16 * 1024 * 1024;
const MAX_SIGNATURE = 16 * 1024;

/**
 * The limit on a package. OpenWrt's largest have tens of megabytes. Files that a build asks for pass through memory one
 * at a time.
 */
const MAX_PACKAGE = 128 * 1024 * 1024;

export function fileSource(options: FileSourceOptions): FileSource {
  const { expected, cached, log } = options;
  const upstream = originFetch(options);
  const digests = new Map<RepositoryIndex, string>();
  let sharesUnverified = false;

  const isUnverified = ({ kind, sha256 }: ListedFile) => kind !== 'index' && sha256 === undefined;

  const isExpected = (index: RepositoryIndex) => digests.get(index) === expected[index.source];
  /** Returns whether upstream has changed the index since the request hash was made over it. */
  const isMoved = (index: RepositoryIndex) => expected[index.source] !== undefined && !isExpected(index);

  /**
   * Returns whether the file is OpenWrt's, and the expected digests fix its content, once its index has been fetched.
   */
  const isPinned = ({ kind, index, sha256 }: ListedFile) => {
    if (index.source.includes('://') || expected[index.source] === undefined) return false;
    return kind === 'index' || (kind === 'package' && sha256 !== undefined && isExpected(index));
  };

  const addToCache = async (file: ListedFile, bytes: Buffer): Promise<void> => {
    const { name, index, kind, sha256 } = file;
    if (cached === undefined || (cached.pinnedOnly && !isPinned(file))) return;
    if (isMoved(index) || (kind !== 'package' && !isExpected(index))) return;
    if (kind === 'package' && sha256 === undefined && index.format !== 'adb') return;
    sharesUnverified ||= isUnverified(file);
    await cached.packages.put(cached.key, name, bytes).catch((error: unknown) => log(`Not cached for the next build: ${messageOf(error)}`));
  };

  const fromCache = async (file: ListedFile, room: number): Promise<Buffer | undefined> => {
    if (cached === undefined || (cached.pinnedOnly && !isPinned(file))) return undefined;
    const bytes = await cached.packages.read(cached.key, file.name);
    if (bytes === undefined || formProblem(file, bytes) !== undefined) return undefined;
    if (bytes.length > room) throw new FetchFailure(`longer than ${room} bytes`, 8);
    if (file.kind === 'index') {
      const digest = await digestOf(bytes);
      if (digest !== expected[file.index.source]) return undefined;
      digests.set(file.index, digest);
      return bytes;
    }
    if (file.kind === 'signature') return isExpected(file.index) ? bytes : undefined;
    return file.sha256 === undefined || (await digestOf(bytes)) === file.sha256 ? bytes : undefined;
  };

  const fromUpstream = async (file: ListedFile, room: number): Promise<Buffer> => {
    const limits = {
      index: Math.min(MAX_INDEX, room),
      signature: Math.min(MAX_SIGNATURE, room),
      package: Math.min(file.size ?? MAX_PACKAGE, MAX_PACKAGE, room),
    };
    const bytes = await upstream.get(file.url, limits[file.kind]);
    const problem = formProblem(file, bytes);
    if (problem !== undefined) throw new FetchFailure(problem, 8);
    if (file.sha256 !== undefined && (await digestOf(bytes)) !== file.sha256)
      throw new FetchFailure('it is not what the package index says', 4, 'checksum');
    if (file.kind === 'index') digests.set(file.index, await digestOf(bytes));
    await addToCache(file, bytes);
    return bytes;
  };

  return {
    get: async (file, room) => {
      const bytes = await fromCache(file, room);
      if (bytes === undefined) return fromUpstream(file, room);
      sharesUnverified ||= isUnverified(file);
      return bytes;
    },
    forgive: upstream.forgive,
    digests: () => new Map([...digests].map(([{ source }, sha256]) => [source, sha256])),
    sharesUnverified: () => sharesUnverified,
  };
}

/**
 * Returns why a build must not have the bytes, whatever the file is called; `undefined` if they have the form of such a
 * file.
 */
function formProblem({ kind, index }: ListedFile, bytes: Buffer): string | undefined {
  if (kind === 'index') return isIndex(bytes, index.format) ? undefined : 'it is no package index';
  if (kind === 'signature') return isSignature(bytes) ? undefined : 'it is no signature';
  return isPackage(bytes) ? undefined : 'it is no package';
}
