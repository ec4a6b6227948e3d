import { createHash } from 'node:crypto';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/** A package index that a repository file makes the package manager download. */
export interface RepositoryIndex {
  /** Path below the upstream base where it is OpenWrt's, else its URL. */
  readonly source: string;
  readonly url: string;
  /** Of its signature, where that is a file of its own. */
  readonly signatureUrl?: string;
  /** Of the directory in which its packages lie; ends with a slash. */
  readonly base: string;
  /** Name in the ImageBuilder's `dl/`. */
  readonly file: string;
  readonly format: 'packed' | 'plain' | 'adb';
}

export interface Repositories {
  /** Text of `repositories` or `repositories.conf`. */
  readonly text: string;
  readonly packageManager: 'opkg' | 'apk';
  readonly upstreamUrl: string;
}

/** What a repository file (`repositories`, `repositories.conf`) makes the package manager download, and where it puts it. */
export function repositoryIndexes({ text, packageManager, upstreamUrl }: Repositories): RepositoryIndex[] {
  const sourceOf = (url: string) => (url.startsWith(`${upstreamUrl}/`) ? url.slice(upstreamUrl.length + 1) : url);
  return text.split('\n').flatMap((line): RepositoryIndex[] => {
    if (packageManager === 'apk') {
      const url = /^\s*(https?:\/\/\S+)\s*$/.exec(line)?.[1];
      if (url === undefined) return [];
      return [{ source: sourceOf(url), url, base: url.slice(0, url.lastIndexOf('/') + 1), file: apkFile(url), format: 'adb' }];
    }
    // opkg keeps what it downloaded, packed or not, under the feed's name (libopkg/opkg_cmd.c).
    const [, packed, file, address] = /^src(\/gz)? ([A-Za-z0-9_.-]+) (https?:\/\/\S+)\s*$/.exec(line) ?? [];
    if (file === undefined || address === undefined) return [];
    const base = `${withoutTrailingSlashes(address)}/`;
    const url = `${base}Packages${packed === undefined ? '' : '.gz'}`;
    const format = packed === undefined ? 'plain' : 'packed';
    return [{ source: sourceOf(url), url, signatureUrl: `${base}Packages.sig`, base, file, format }];
  });
}

/** apk's cache names the index by the beginning of its URL's SHA-256, whatever the ending says. */
const apkFile = (url: string): string => `APKINDEX.${createHash('sha256').update(url).digest('hex').slice(0, 8)}.tar.gz`;
