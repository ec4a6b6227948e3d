import { createHash } from 'node:crypto';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/** A package index that a repository file makes the package manager download. */
export interface RepositoryIndex {
  /** The path below the upstream base if the index is OpenWrt's, otherwise its URL. */
  readonly source: string;
  readonly url: string;
  /** The URL of the signature, if that is a separate file. */
  readonly signatureUrl?: string;
  /** The URL of the directory with its packages. It ends with a slash. */
  readonly base: string;
  /** The name of the file in the ImageBuilder's `dl/`. */
  readonly file: string;
  readonly format: 'packed' | 'plain' | 'adb';
}

export interface Repositories {
  /** The text of `repositories` or `repositories.conf`. */
  readonly text: string;
  readonly packageManager: 'opkg' | 'apk';
  readonly upstreamUrl: string;
}

/**
 * Returns the indexes that a repository file (`repositories`, `repositories.conf`) makes the package manager download,
 * and where it puts them.
 */
export function repositoryIndexes({ text, packageManager, upstreamUrl }: Repositories): RepositoryIndex[] {
  const sourceOf = (url: string) => (url.startsWith(`${upstreamUrl}/`) ? url.slice(upstreamUrl.length + 1) : url);
  return text.split('\n').flatMap((line): RepositoryIndex[] => {
    if (packageManager === 'apk') {
      const url = /^\s*(https?:\/\/\S+)\s*$/.exec(line)?.[1];
      if (url === undefined) return [];
      return [{ source: sourceOf(url), url, base: url.slice(0, url.lastIndexOf('/') + 1), file: apkFile(url), format: 'adb' }];
    }
    // opkg stores the index under the feed's name, whether it is packed or not (libopkg/opkg_cmd.c).
    const [, packed, file, address] = /^src(\/gz)? ([A-Za-z0-9_.-]+) (https?:\/\/\S+)\s*$/.exec(line) ?? [];
    if (file === undefined || address === undefined) return [];
    const base = `${withoutTrailingSlashes(address)}/`;
    const url = `${base}Packages${packed === undefined ? '' : '.gz'}`;
    const format = packed === undefined ? 'plain' : 'packed';
    return [{ source: sourceOf(url), url, signatureUrl: `${base}Packages.sig`, base, file, format }];
  });
}

/**
 * Returns the name in apk's cache: it contains the first characters of the URL's SHA-256, and its ending means nothing.
 */
const apkFile = (url: string): string => `APKINDEX.${createHash('sha256').update(url).digest('hex').slice(0, 8)}.tar.gz`;
