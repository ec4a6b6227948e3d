import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import { EMPTY_FEED, type FeedIndex, mergeFeeds } from '#core/catalogue/package-index.ts';
import { MalformedFileError } from '#core/catalogue/upstream-files.ts';
import type { CachedFiles, FileFormat } from './cached-files.ts';
import { FEEDS, INDEX_JSON, PACKAGES, PACKAGES_ADB, PACKAGES_GZ } from './file-formats.ts';
import { inSlices } from './in-slices.ts';
import { UpstreamFailure } from './upstream-client.ts';

/** A package index, with the digests of the files that a build will read. */
export interface ReadIndex {
  readonly feed: FeedIndex;
  readonly indexes: IndexDigests;
  /** The directories whose index upstream serves but this process could not read. Absent when there are none. */
  readonly unread?: readonly string[];
  /** The target's own directories that upstream does not have yet. Absent when there are none. */
  readonly missing?: readonly string[];
}

/** What takes the place of an index that is not there. Without it, all that is merged is not complete. */
export const NO_INDEX: ReadIndex = { feed: { ...EMPTY_FEED, complete: false }, indexes: {} };

export interface ReadOptions {
  readonly reload?: boolean;
  /** Returns whether the result may lack the index of a directory that cannot be read. Default: no. */
  readonly mayLack?: (directory: string) => boolean;
  /** Called for each index that the result lacks. */
  readonly onUnread?: (directory: string, error: unknown) => void;
}

/**
 * Returns the `mayLack` of a read that follows `previous`. The first copy may lack any index, a later one only those
 * that the earlier copy lacks: an index that was once read is never lost again.
 */
export const mayLackAfter =
  (previous: { readonly unread?: readonly string[] } | undefined) =>
  (directory: string): boolean =>
    previous === undefined || previous.unread?.includes(directory) === true;

/**
 * Returns the package index in a directory, or `undefined` when there is none (docs/imagebuilder.md §10, as
 * get_packages_versions in asu/util.py). Names and versions come from an `index.json` of version 2 or later, otherwise
 * from the package manager's own index, otherwise from `index.json` as it is. Only the package manager's index has the
 * other names of packages: without it the index is not complete.
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
  const { conflicts, baseNeeds } = own.feed;
  const uncertain = uncertainBeside(json.value, own.feed);
  return {
    feed: {
      ...json.value,
      aliases: namesBeside(json.value, own.feed),
      ...(conflicts && { conflicts }),
      ...(baseNeeds && { baseNeeds }),
      ...(uncertain.length > 0 && { uncertain }),
      complete: true,
    },
    indexes,
  };
}

const readIndexJson = (files: CachedFiles, directory: string, reload = false) =>
  files.read(`${directory}/index.json`, INDEX_JSON, { reload });

type IndexFormat = readonly [name: string, format: FileFormat<FeedIndex | undefined>];

const APK: IndexFormat = ['packages.adb', PACKAGES_ADB];
const OPKG: readonly IndexFormat[] = [
  ['Packages.gz', PACKAGES_GZ],
  ['Packages', PACKAGES],
];

/** Returns the first of the formats that upstream has: its digest, and its packages when they can be parsed. */
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

/** Returns the packages that the two indexes of a directory, or one of them, list in more than one version. */
const uncertainBeside = (index: FeedIndex, { packages, uncertain = [] }: FeedIndex): string[] => [
  ...uncertain,
  ...Object.keys(packages).filter((name) => Object.hasOwn(index.packages, name) && index.packages[name] !== packages[name]),
];

const feedsConf = (files: CachedFiles, versionPath: string, arch: string) =>
  files.read(`${versionPath}/packages/${arch}/feeds.conf`, FEEDS);

/** Returns whether upstream has feeds of the architecture. */
export const hasFeeds = async (files: CachedFiles, versionPath: string, arch: string): Promise<boolean> =>
  (await feedsConf(files, versionPath, arch)) !== undefined;

/**
 * Returns all feeds of an architecture as one index. Without `feeds.conf` there are none. Every ImageBuilder reads
 * `base`, whether `feeds.conf` lists it or not.
 */
export async function readFeeds(files: CachedFiles, versionPath: string, arch: string, options: ReadOptions = {}): Promise<ReadIndex> {
  const directory = `${versionPath}/packages/${arch}`;
  const conf = await feedsConf(files, versionPath, arch);
  if (conf === undefined) return NO_INDEX;
  const feeds = [...new Set(['base', ...conf.value])];
  const read = await Promise.all(feeds.map((feed) => readIndexOrGap(files, `${directory}/${feed}`, options)));
  return mergeIndexes(read);
}

/**
 * Merges the indexes of directories into one. Where upstream lacks a directory that a build reads (`undefined`), the
 * result is not complete: a mirror may be late, and the package may be there when the build asks.
 */
export async function mergeIndexes(read: readonly (ReadIndex | undefined)[]): Promise<ReadIndex> {
  const found = read.filter((index) => index !== undefined);
  const unread = found.flatMap((index) => index.unread ?? []);
  const missing = found.flatMap((index) => index.missing ?? []);
  const feed = await inSlices(mergeFeeds(found.map(({ feed }) => feed)));
  return {
    feed: { ...feed, complete: feed.complete && found.length === read.length },
    indexes: Object.assign({}, ...found.map(({ indexes }) => indexes)),
    ...(unread.length > 0 && { unread }),
    ...(missing.length > 0 && { missing }),
  };
}

/**
 * Returns the index in a directory. When its bytes cannot be parsed, it reads the index once more, past caches. An
 * index that upstream serves but this process cannot read may be lacking (`mayLack`): then the result is not complete,
 * with the names of `index.json` at most, and the build decides which packages exist. A failure that a later attempt
 * may not meet is still thrown.
 */
export async function readIndexOrGap(files: CachedFiles, directory: string, options: ReadOptions): Promise<ReadIndex | undefined> {
  try {
    return await readAgain((reload) => readIndex(files, directory, { reload }), options.reload ?? false);
  } catch (error) {
    const isLasting = error instanceof MalformedFileError || (error instanceof UpstreamFailure && !error.transient);
    if (!isLasting || !options.mayLack?.(directory)) throw error;
    options.onUnread?.(directory, error);
    const json = await readIndexJson(files, directory).catch(() => undefined);
    return { feed: json?.value.clean ? json.value : NO_INDEX.feed, indexes: {}, unread: [directory] };
  }
}

/**
 * Reads again, past caches, when the file cannot be parsed: it may come from an upload in progress, or from a cache
 * that saw one.
 */
async function readAgain<T>(read: (reload: boolean) => Promise<T>, isReload: boolean): Promise<T> {
  try {
    return await read(isReload);
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error;
    return read(true);
  }
}
