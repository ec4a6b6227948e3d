import { promisify } from 'node:util';
import { gunzip, inflateRaw } from 'node:zlib';
import { parseApkIndex } from '#core/catalogue/apk-index.ts';
import { apkFeed, type FeedIndex, parseIndexJson, parsePackages } from '#core/catalogue/package-index.ts';
import {
  MalformedFileError,
  parseDigests,
  parseFeeds,
  parseProfiles,
  parseTargets,
  parseVersions,
} from '#core/catalogue/upstream-files.ts';
import { readApkPackages } from '#core/package-solver/apk/read-apk-packages.ts';
import type { IndexPackage } from '#core/package-solver/index/index-package.ts';
import { readOpkgPackages } from '#core/package-solver/opkg/read-opkg-packages.ts';
import type { Sliced } from '#lib/sliced.ts';
import type { FileFormat } from './cached-files.ts';

const MiB = 1024 * 1024;

/** The size limits: at least four times the size of the largest real file of each kind. */
const MAX_LIST = MiB;
const MAX_DOCUMENT = 4 * MiB;
const MAX_SUMS = 8 * MiB;
const MAX_PACKED_INDEX = 16 * MiB;
const MAX_INDEX = 32 * MiB;

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const ofText = <T>(maxBytes: number, parse: (text: string) => Sliced<T>): FileFormat<T> => ({
  maxBytes,
  parse: (bytes) => parse(textOf(bytes)),
});

// biome-ignore lint/correctness/useYield: the work is a single step.
function* atOnce<T>(value: T): Sliced<T> {
  return value;
}

/** Any page in place of a directory: its content says nothing, its existence does. */
export const DIRECTORY = ofText(MAX_DOCUMENT, () => atOnce(true));
export const VERSIONS = ofText(MAX_LIST, parseVersions);
export const TARGETS = ofText(MAX_LIST, parseTargets);
export const FEEDS = ofText(MAX_LIST, (text) => atOnce(parseFeeds(text)));
export const SUMS = ofText(MAX_SUMS, parseDigests);
export const PROFILES = ofText(MAX_DOCUMENT, parseProfiles);
export const INDEX_JSON = ofText(MAX_DOCUMENT, parseIndexJson);
export const PACKAGES: FileFormat<FeedIndex> = { maxBytes: MAX_INDEX, isSolved: true, parse: parsePackages };
export const PACKAGES_GZ: FileFormat<FeedIndex> = {
  maxBytes: MAX_PACKED_INDEX,
  isSolved: true,
  parse: async (bytes) => parsePackages(await unpackedGzip(bytes)),
};
/**
 * The format of `packages.adb`. Its value is `undefined` when the compression is unknown: the digest is useful without
 * the names.
 */
export const PACKAGES_ADB: FileFormat<FeedIndex | undefined> = {
  maxBytes: MAX_PACKED_INDEX,
  isSolved: true,
  parse: async (bytes) => {
    const tree = await unpackedAdb(bytes);
    return tree === undefined ? atOnce(undefined) : namesOf(tree);
  },
};

/**
 * Returns the packages of an index of a package manager with all that its solver looks at, or `undefined` when the
 * compression is unknown. The name of the file is its format. It throws a `MalformedFileError` for an index that no real
 * one can be.
 */
export async function solverPackages(name: string, bytes: Uint8Array): Promise<Sliced<IndexPackage[]> | undefined> {
  if (name === 'Packages') return readOpkgPackages(bytes);
  if (name === 'Packages.gz') return readOpkgPackages(await unpackedGzip(bytes));
  const tree = await unpackedAdb(bytes);
  return tree && readApkPackages(tree);
}

const unpackedGzip = (bytes: Uint8Array): Promise<Buffer> => unpacked('Packages.gz', promisify(gunzip)(bytes, LIMIT));

async function unpackedAdb(bytes: Uint8Array): Promise<Buffer | undefined> {
  const magic = textOf(bytes.subarray(0, COMPRESSED.length));
  if (!/^ADB./s.test(magic)) throw new MalformedFileError('packages.adb', 'it is no index of apk');
  return magic === COMPRESSED ? unpacked('packages.adb', promisify(inflateRaw)(bytes.subarray(COMPRESSED.length), LIMIT)) : undefined;
}

const COMPRESSED = 'ADBd';
/** The limit for unpacking. A file that needs more is an attack, and is not unpacked to its end. */
const LIMIT = { maxOutputLength: MAX_INDEX, chunkSize: MiB };

function* namesOf(bytes: Uint8Array): Sliced<FeedIndex> {
  return yield* apkFeed(yield* parseApkIndex(bytes));
}

async function unpacked(what: string, unpacking: Promise<Buffer>): Promise<Buffer> {
  try {
    return await unpacking;
  } catch (cause) {
    throw new MalformedFileError(what, 'it cannot be unpacked', { cause });
  }
}
