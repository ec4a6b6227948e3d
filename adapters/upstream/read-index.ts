import { gunzipSync } from 'node:zlib';
import type { IndexDigests } from '#core/catalogue.ts';
import { EMPTY_FEED, type FeedIndex, mergeFeeds, parseIndexJson, parsePackages } from '#core/package-index.ts';
import { MalformedFileError, parseFeeds } from '#core/upstream-files.ts';
import type { CachedFiles } from './cached-files.ts';
import { UpstreamFailure } from './upstream-client.ts';

/** An index with the digest of the file that a build will read. */
export interface ReadIndex {
  readonly feed: FeedIndex;
  readonly indexes: IndexDigests;
}

export interface ReadOptions {
  readonly reload?: boolean;
  /** Go without an index that cannot be read: for the first time only, afterwards an earlier copy is better. */
  readonly partial?: boolean;
}

/** An index far larger than any real one is refused rather than unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/**
 * The package index in a directory (IMAGEBUILDER.md §10, as asu/util.py get_packages_versions): `index.json` from version 2 on,
 * else opkg's `Packages`, else `index.json` as it is. `undefined`: there is none.
 */
export async function readIndex(
  files: CachedFiles,
  directory: string,
  { reload = false }: ReadOptions = {},
): Promise<ReadIndex | undefined> {
  const named = (name: string) => `${directory}/${name}`;
  const json = await files.read(named('index.json'), (bytes) => parseIndexJson(textOf(bytes)), { reload });
  if (json?.value.clean) return { feed: json.value, indexes: { [named('index.json')]: json.digest } };
  for (const [name, parse] of PACKAGES) {
    const packages = await files.read(named(name), parse, { reload });
    if (packages !== undefined) return { feed: packages.value, indexes: { [named(name)]: packages.digest } };
  }
  return json && { feed: json.value, indexes: { [named('index.json')]: json.digest } };
}

const PACKAGES = [
  ['Packages.gz', (bytes: Uint8Array) => parsePackages(textOf(gunzip(bytes)))],
  ['Packages', (bytes: Uint8Array) => parsePackages(textOf(bytes))],
] as const;

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw new MalformedFileError('Packages.gz', 'it cannot be unpacked', { cause });
  }
}

/** All feeds of an architecture as one index. Without `feeds.conf` there are none; a feed that is listed but not there has no packages. */
export async function readFeeds(files: CachedFiles, versionPath: string, arch: string, options: ReadOptions = {}): Promise<ReadIndex> {
  const directory = `${versionPath}/packages/${arch}`;
  const conf = await files.read(`${directory}/feeds.conf`, (bytes) => parseFeeds(textOf(bytes)));
  if (conf === undefined) return { feed: { ...EMPTY_FEED, complete: false }, indexes: {} };
  const read = await Promise.all(conf.value.map((feed) => orPartial(options, () => readIndex(files, `${directory}/${feed}`, options))));
  return mergeIndexes(read);
}

export function mergeIndexes(read: readonly (ReadIndex | undefined)[]): ReadIndex {
  const found = read.filter((index) => index !== undefined);
  return {
    feed: mergeFeeds(found.map(({ feed }) => feed)),
    indexes: Object.assign({}, ...found.map(({ indexes }) => indexes)),
  };
}

/**
 * With `partial`, an index that upstream serves but nobody can read counts as empty and not complete: then the build decides what
 * exists. What a later attempt may get is still a failure.
 */
export async function orPartial({ partial }: ReadOptions, read: () => Promise<ReadIndex | undefined>): Promise<ReadIndex | undefined> {
  try {
    return await read();
  } catch (error) {
    const isLasting = error instanceof MalformedFileError || (error instanceof UpstreamFailure && !error.transient);
    if (!partial || !isLasting) throw error;
    return { feed: { ...EMPTY_FEED, complete: false }, indexes: {} };
  }
}
