import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import { EMPTY_FEED, type FeedIndex, mergeFeeds } from '#core/catalogue/package-index.ts';
import { MalformedFileError } from '#core/catalogue/upstream-files.ts';
import type { CachedFiles, FileFormat } from './cached-files.ts';
import { FEEDS, INDEX_JSON, PACKAGES, PACKAGES_ADB, PACKAGES_GZ } from './file-formats.ts';
import { inSlices } from './in-slices.ts';
import { UpstreamFailure } from './upstream-client.ts';

/** An index with the digest of the file that a build will read. */
export interface ReadIndex {
  readonly feed: FeedIndex;
  readonly indexes: IndexDigests;
  /** Directories whose index upstream serves, but nobody could read; absent: there are none. */
  readonly unread?: readonly string[];
}

export interface ReadOptions {
  readonly reload?: boolean;
  /** Whether to go without the index of a directory when it cannot be read. Default: no. */
  readonly mayLack?: (directory: string) => boolean;
  /** Told of each index that was gone without. */
  readonly onUnread?: (directory: string, error: unknown) => void;
}

/** What has no earlier copy may lack anything, and a later one what the earlier lacks: an index that was once read is never lost again. */
export const lackingLike =
  (previous: { readonly unread?: readonly string[] } | undefined) =>
  (directory: string): boolean =>
    previous === undefined || previous.unread?.includes(directory) === true;

/**
 * The package index in a directory (docs/imagebuilder.md §10, as asu/util.py get_packages_versions): names and versions from `index.json` of
 * version 2 and later, else from the package manager's own index, else from `index.json` as it is. By which other names
 * packages go only the package manager's index knows; without it the index is not complete. `undefined`: there is none.
 */
async function readIndex(
  files: CachedFiles,
  directory: string,
  { reload = false }: { reload?: boolean } = {},
): Promise<ReadIndex | undefined> {
  const json = await readIndexJson(files, directory, reload);
  const own = await readManagerIndex(files, directory, json?.value.clean ? [APK, ...OPKG] : [...OPKG, APK], reload);
  if (json === undefined) return own?.feed && { feed: own.feed, indexes: own.indexes };
  const indexes = own?.indexes ?? { [`${directory}/index.json`]: json.digest };
  if (own?.feed === undefined) return { feed: json.value, indexes };
  if (!json.value.clean) return { feed: own.feed, indexes };
  return { feed: { ...json.value, aliases: namesBeside(json.value, own.feed), complete: true }, indexes };
}

const readIndexJson = (files: CachedFiles, directory: string, reload = false) =>
  files.read(`${directory}/index.json`, INDEX_JSON, { reload });

type IndexFormat = readonly [name: string, format: FileFormat<FeedIndex | undefined>];

const APK: IndexFormat = ['packages.adb', PACKAGES_ADB];
const OPKG: readonly IndexFormat[] = [
  ['Packages.gz', PACKAGES_GZ],
  ['Packages', PACKAGES],
];

/** The first of the formats that is there: its digest, and what it lists where that can be parsed. */
async function readManagerIndex(files: CachedFiles, directory: string, formats: readonly IndexFormat[], reload: boolean) {
  for (const [name, format] of formats) {
    const path = `${directory}/${name}`;
    const found = await files.read(path, format, { reload });
    if (found !== undefined) return { feed: found.value, indexes: { [path]: found.digest } };
  }
  return undefined;
}

const namesBeside = (index: FeedIndex, { packages, aliases }: FeedIndex): string[] => [
  ...aliases,
  ...Object.keys(packages).filter((name) => !Object.hasOwn(index.packages, name)),
];

/**
 * All feeds of an architecture as one index. Without `feeds.conf` there are none; a feed that is listed but not there has no
 * packages. Every ImageBuilder reads `base`, whether `feeds.conf` mentions it or not.
 */
export async function readFeeds(files: CachedFiles, versionPath: string, arch: string, options: ReadOptions = {}): Promise<ReadIndex> {
  const directory = `${versionPath}/packages/${arch}`;
  const conf = await files.read(`${directory}/feeds.conf`, FEEDS);
  if (conf === undefined) return { feed: { ...EMPTY_FEED, complete: false }, indexes: {} };
  const feeds = [...new Set(['base', ...conf.value])];
  const read = await Promise.all(feeds.map((feed) => readWhatCanBe(files, `${directory}/${feed}`, options)));
  return mergeIndexes(read);
}

export async function mergeIndexes(read: readonly (ReadIndex | undefined)[]): Promise<ReadIndex> {
  const found = read.filter((index) => index !== undefined);
  const unread = found.flatMap((index) => index.unread ?? []);
  return {
    feed: await inSlices(mergeFeeds(found.map(({ feed }) => feed))),
    indexes: Object.assign({}, ...found.map(({ indexes }) => indexes)),
    ...(unread.length > 0 && { unread }),
  };
}

/**
 * The index in a directory, read once more and past caches where it makes no sense. Where it may be lacking, one that upstream serves
 * but nobody can read counts as not complete, with the names of `index.json` at most: then the build decides what exists. What a later
 * attempt may get is still a failure.
 */
export async function readWhatCanBe(files: CachedFiles, directory: string, options: ReadOptions): Promise<ReadIndex | undefined> {
  try {
    return await readAgain((reload) => readIndex(files, directory, { reload }), options.reload ?? false);
  } catch (error) {
    const isLasting = error instanceof MalformedFileError || (error instanceof UpstreamFailure && !error.transient);
    if (!isLasting || !options.mayLack?.(directory)) throw error;
    options.onUnread?.(directory, error);
    const json = await readIndexJson(files, directory).catch(() => undefined);
    return { feed: json?.value.clean ? json.value : { ...EMPTY_FEED, complete: false }, indexes: {}, unread: [directory] };
  }
}

/** Bytes that are no index may be an upload under way, or a cache's copy of one. */
async function readAgain<T>(read: (reload: boolean) => Promise<T>, isReload: boolean): Promise<T> {
  try {
    return await read(isReload);
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error;
    return read(true);
  }
}
