import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import type { Sliced } from '#lib/sliced.ts';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import { readInside } from '#runner/files/plain-file.ts';

/** A package index that a build read. */
export interface UsedIndex {
  /** Path below the upstream base where it is OpenWrt's, else its URL. */
  readonly source: string;
  /** Name in the ImageBuilder's `dl/`. */
  readonly file: string;
  readonly sha256: string;
}

export interface IndexesRead {
  readonly used: readonly UsedIndex[];
  /** Sources that the repository file names and the build went without, since they could not be had. */
  readonly absent: readonly string[];
}

interface IndexPlace {
  readonly url: string;
  readonly file: string;
}

/** apk's cache names the index by the beginning of its URL's SHA-256, whatever the ending says. */
const apkFile = (url: string): string => `APKINDEX.${createHash('sha256').update(url).digest('hex').slice(0, 8)}.tar.gz`;

/** What a repository file (`repositories`, `repositories.conf`) makes the package manager download, and where it puts it. */
function indexPlaces(repositories: string, packageManager: 'opkg' | 'apk'): IndexPlace[] {
  return repositories.split('\n').flatMap((line): IndexPlace[] => {
    if (packageManager === 'apk') {
      const url = /^\s*(https?:\/\/\S+)\s*$/.exec(line)?.[1];
      return url === undefined ? [] : [{ url, file: apkFile(url) }];
    }
    // opkg keeps what it downloaded, packed or not, under the feed's name (libopkg/opkg_cmd.c).
    const [, packed, file, url] = /^src(\/gz)? ([A-Za-z0-9_.-]+) (https?:\/\/\S+)\s*$/.exec(line) ?? [];
    if (file === undefined || url === undefined) return [];
    return [{ url: `${withoutTrailingSlashes(url)}/Packages${packed === undefined ? '' : '.gz'}`, file }];
  });
}

const PART = 1024 * 1024;

function* digestOf(bytes: Buffer): Sliced<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += PART) {
    hash.update(bytes.subarray(start, start + PART));
    yield;
  }
  return hash.digest('hex');
}

/** The indexes as they lie in a tree whose build is over, with the digests of their bytes. */
export async function usedIndexes(
  tree: string,
  { repositories, packageManager, upstreamUrl }: { repositories: string; packageManager: 'opkg' | 'apk'; upstreamUrl: string },
): Promise<IndexesRead> {
  const used: UsedIndex[] = [];
  const absent: string[] = [];
  for (const { url, file } of indexPlaces(repositories, packageManager)) {
    const bytes = await readInside(tree, join('dl', file));
    const source = url.startsWith(`${upstreamUrl}/`) ? url.slice(upstreamUrl.length + 1) : url;
    if (bytes === undefined) absent.push(source);
    else used.push({ source, file, sha256: await inSlices(digestOf(bytes)) });
  }
  return { used, absent };
}
