import { hasCode } from '#lib/has-code.ts';
import { mapAtMost } from '#lib/map-at-most.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { putFile } from '#runner/files/put-file.ts';
import { TooManyEntriesError } from '#runner/files/read-entries.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import { FetchFailure, isNetworkFailure } from './fetch-listed.ts';
import type { ListedFile } from './listed-files.ts';

/** The tree of a build, in whose `dl` the package manager looks before it downloads. */
export interface Downloads {
  readonly tree: string;
  readonly uid: number | undefined;
}

export interface FetchAheadDeps {
  readonly downloads: Downloads;
  /** Fetches a file with at most `maxBytes`. */
  readonly get: (file: ListedFile, maxBytes: number) => Promise<Buffer>;
}

/**
 * The number of packages that are fetched at a time, and the limit on each. They are in memory together, and have no
 * more than the largest package that a build may ask for. Larger packages are left to the build.
 */
const AT_ONCE = 6;
const MAX_BYTES_EACH = 16 * 1024 * 1024;

/** The limits on what one command gets in advance. A full image has some 300 packages and fifty megabytes. */
const MAX_FILES = 2_000;
const MAX_BYTES = 512 * 1024 * 1024;

const DL = 'dl';

/**
 * Puts packages into the build's `dl`, except those that are there. A package that cannot be had is left out: the build
 * may not need it, and otherwise asks for it. No further package is fetched from a server that did not answer.
 */
export async function fetchAhead(files: readonly ListedFile[], { downloads, get }: FetchAheadDeps): Promise<void> {
  const { tree, uid } = downloads;
  const there = new Set(await namesIn(tree));
  const missing = files.filter((file) => canBeChecked(file) && !there.has(file.name) && (file.size ?? 0) <= MAX_BYTES_EACH);
  let bytesLeft = MAX_BYTES;
  const silent = new Set<string>();
  const problems: unknown[] = [];
  const fetchOne = async (file: ListedFile): Promise<void> => {
    const { origin } = new URL(file.url);
    if (bytesLeft <= 0 || silent.has(origin)) return;
    try {
      const bytes = await get(file, MAX_BYTES_EACH);
      bytesLeft -= bytes.length;
      await putFile(tree, `${DL}/${file.name}`, bytes, { uid });
    } catch (error) {
      if (error instanceof UnexpectedFileError || hasCode(error, ...NO_PLACE)) return;
      if (error instanceof FetchFailure) {
        if (isNetworkFailure(error)) silent.add(origin);
        return;
      }
      bytesLeft = 0;
      problems.push(error);
    }
  };
  await mapAtMost(missing.slice(0, MAX_FILES), AT_ONCE, fetchOne);
  // Nothing is written to the tree any more when the caller learns of a problem.
  if (problems.length > 0) throw problems[0];
}

/** The system's errors for a name that cannot be used, as an earlier command of the build may have arranged it. */
const NO_PLACE = ['EISDIR', 'ENOTEMPTY', 'EACCES', 'EPERM', 'ENAMETOOLONG'];

/** An earlier command of a build can fill `dl`; no more names of it are read. */
const MAX_NAMES = 50_000;

const namesIn = (tree: string): Promise<string[]> =>
  entriesInside(tree, DL, MAX_NAMES).then(
    (entries) => entries.map(({ name }) => name),
    (error: unknown) => {
      if (error instanceof TooManyEntriesError) return [];
      throw error;
    },
  );

/**
 * Returns whether the package manager checks the file in `dl`: opkg does so by the digest in the index, which some
 * feeds lack.
 */
const canBeChecked = ({ sha256, index }: ListedFile): boolean => sha256 !== undefined || index.format === 'adb';
