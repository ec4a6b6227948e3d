import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readInside } from './read-output.ts';

/** A package index that a build read. */
export interface UsedIndex {
  /** Path below the upstream base where it is OpenWrt's, else its URL. */
  readonly source: string;
  /** Name in the ImageBuilder's `dl/`. */
  readonly file: string;
  readonly sha256: string;
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
    const [, file, url] = /^src(?:\/gz)? ([A-Za-z0-9_.-]+) (https?:\/\/\S+)\s*$/.exec(line) ?? [];
    // opkg keeps it unpacked, under the feed's name.
    return file === undefined || url === undefined ? [] : [{ url: `${url.replace(/\/+$/, '')}/Packages`, file }];
  });
}

/** The indexes as they lie in a tree whose build is over, with the digests of their bytes. Those that it went without are left out. */
export async function usedIndexes(
  tree: string,
  { repositories, packageManager, upstreamUrl }: { repositories: string; packageManager: 'opkg' | 'apk'; upstreamUrl: string },
): Promise<UsedIndex[]> {
  const used = await Promise.all(
    indexPlaces(repositories, packageManager).map(async ({ url, file }): Promise<UsedIndex[]> => {
      const bytes = await readInside(tree, join('dl', file));
      if (bytes === undefined) return [];
      const source = url.startsWith(`${upstreamUrl}/`) ? url.slice(upstreamUrl.length + 1) : url;
      return [{ source, file, sha256: createHash('sha256').update(bytes).digest('hex') }];
    }),
  );
  return used.flat();
}
