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
export const repositoryIndexes = (repositories: Repositories): RepositoryIndex[] =>
  repositories.text.split('\n').flatMap((line) => indexOf(line, repositories) ?? []);

/** Returns the lines of a repository file that name a URL in a form that the courier does not serve. */
export const unservedRepositories = (repositories: Repositories): string[] =>
  repositories.text
    .split('\n')
    .filter((line) => line.includes('://') && !/^\s*(?:#|option\s)/.test(line) && indexOf(line, repositories) === undefined)
    .map((line) => line.trim());

function indexOf(line: string, { packageManager, upstreamUrl }: Repositories): RepositoryIndex | undefined {
  const sourceOf = (url: string) => (url.startsWith(`${upstreamUrl}/`) ? url.slice(upstreamUrl.length + 1) : url);
  if (packageManager === 'apk') {
    const url = APK_LINE.exec(line)?.[1];
    if (url === undefined) return undefined;
    return { source: sourceOf(url), url, base: url.slice(0, url.lastIndexOf('/') + 1), file: apkFile(url), format: 'adb' };
  }
  const [type, file = '', address = '', ...more] = [...line.matchAll(OPKG_WORD)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  if ((type !== 'src' && type !== 'src/gz') || !PLAIN_NAME.test(file) || !HTTP_URL.test(address) || more.length > 0) return undefined;
  const base = `${withoutTrailingSlashes(address)}/`;
  const isPacked = type === 'src/gz';
  const url = `${base}Packages${isPacked ? '.gz' : ''}`;
  // opkg stores the index under the feed's name, whether it is packed or not (libopkg/opkg_cmd.c).
  return { source: sourceOf(url), url, signatureUrl: `${base}Packages.sig`, base, file, format: isPacked ? 'packed' : 'plain' };
}

/** A line of which apk downloads the URL itself, as an index of version 3: the URL ends in `.adb`, and a tag may stand before it. */
const APK_LINE = /^\s*(?:@\S+\s+)?(https?:\/\/\S+\.adb)\s*$/;

/** A word of opkg's configuration, in quotes or without (libopkg/opkg_conf.c). */
const OPKG_WORD = /"([^"]*)"|(\S+)/g;

const PLAIN_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]+$/;
const HTTP_URL = /^https?:\/\/[^\s"]+$/;

/**
 * Returns the name in apk's cache: it contains the first characters of the URL's SHA-256, and its ending means nothing.
 */
const apkFile = (url: string): string => `APKINDEX.${createHash('sha256').update(url).digest('hex').slice(0, 8)}.tar.gz`;
