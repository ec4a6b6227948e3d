import { withoutVersion } from './package-problems.ts';

/** A file that a package manager could not fetch or did not trust. */
export interface DownloadTrouble {
  /** `absent`: its server says that it does not exist. `checksum`: it is not what the index says. */
  readonly kind: 'download' | 'absent' | 'signature' | 'checksum';
  /** The package that the file is, if the package manager names it. */
  readonly package?: string;
  /** The subject of the message: for an index its URL, if the package manager prints it. */
  readonly url?: string;
  /** A sentence for people, without a full stop. */
  readonly message: string;
}

/** A file that the server could not fetch for a build. `message` is for people and has no full stop. */
export interface FailedFetch {
  readonly message: string;
  readonly kind?: 'absent' | 'checksum' | undefined;
}

/**
 * The files that the server fetched for a build, or could not, by URL. It knows more than the package manager prints.
 */
export interface Fetched {
  readonly delivered: ReadonlySet<string>;
  readonly failed: ReadonlyMap<string, FailedFetch>;
  /** The names of the packages that OpenWrt's own indexes list, as far as the server gave these to the build. */
  readonly listed: ReadonlySet<string>;
}

export const NOTHING_FETCHED: Fetched = { delivered: new Set(), failed: new Map(), listed: new Set() };

const WGET_CODES: Readonly<Record<string, string>> = {
  '4': 'network failure',
  '5': 'TLS failure',
  '8': 'the server answered with an error',
};

const OPKG_DOWNLOAD = /^ \* opkg_download: Failed to download (\S+), wget returned (\d+)\.$/;
const OPKG_LIST = /^\*\*\* Failed to download the package list from (\S+)$/;
const OPKG_FETCHING = /^Downloading (https?:\/\/\S+)$/;
const OPKG_PACKAGE = /^ \* opkg_install_pkg: Failed to download (\S+)\. /;
const OPKG_DAMAGED = /^ \* opkg_install_pkg: Checksum or size mismatch for package (\S+)\. /;
/**
 * Matches `updating and opening`, `fetching`, …. The missing copy (`opening from cache`) is a consequence, which apk
 * repeats a dozen times.
 */
const APK_INDEX = /^WARNING: (?!opening from cache)[a-z ]*(https?:\/\/\S+): (.+)$/;
/** `ERROR: curl-8.10.1-r1: unexpected end of file`; see `hasVersion`. */
const APK_PACKAGE = /^ERROR: (\S+): (?!trying to overwrite |(?:script )?exited with )(.+)$/;
/** apk's words for a package that differs from the index (src/print.c of apk-tools). */
const NOT_AS_LISTED = /\bintegrity error\b|\bchecksum\b|\bBAD (?:archive|signature)\b|package mentioned in index not found/i;
const VERSION = /-\d/;

/**
 * Returns what opkg or apk could not download or verify, in the order of their messages. They continue, and then report
 * every package of such an index as missing, so callers must look here first.
 */
export function downloadTroubles(lines: readonly string[], fetched: Fetched = NOTHING_FETCHED): DownloadTrouble[] {
  const troubles: DownloadTrouble[] = [];
  let fetching: string | undefined;
  for (const line of lines) {
    fetching = OPKG_FETCHING.exec(line)?.[1] ?? fetching;
    const trouble = troubleOf(line, fetching);
    if (trouble !== undefined) troubles.push(explained(trouble, fetched));
  }
  return troubles;
}

/** Returns the trouble in the words of the server that fetched the file, if it did. */
function explained(trouble: DownloadTrouble, { delivered, failed }: Fetched): DownloadTrouble {
  const { kind, url } = trouble;
  if (kind !== 'download' || url === undefined) return trouble;
  const failure = failed.get(url);
  if (failure !== undefined)
    return { ...trouble, kind: failure.kind ?? 'download', message: `Could not download ${url}: ${failure.message}` };
  if (!url.endsWith('.adb') || !delivered.has(url)) return trouble;
  return unverified('apk got the whole index and refused it, so its signature is wrong or it is damaged', url);
}

function troubleOf(line: string, fetching: string | undefined): DownloadTrouble | undefined {
  const [, opkgUrl, code] = OPKG_DOWNLOAD.exec(line) ?? [];
  if (opkgUrl !== undefined) {
    // The index has no signature file: the server answers and has none.
    const kind = opkgUrl.endsWith('/Packages.sig') && code === '8' ? 'signature' : 'download';
    return { kind, url: opkgUrl, message: `Could not download ${opkgUrl}: ${WGET_CODES[code ?? ''] ?? `wget returned ${code}`}` };
  }
  const list = OPKG_LIST.exec(line)?.[1];
  if (list !== undefined) return { kind: 'download', url: list, message: `Could not download ${list}` };
  if (line === 'Signature check failed.') return unverified('its signature is wrong or of an unknown key', fetching);
  if (line === 'Signature file download failed.') return unverified('its signature could not be downloaded', fetching);
  const unfetched = OPKG_PACKAGE.exec(line)?.[1];
  if (unfetched !== undefined) return { kind: 'download', message: `Could not download package ${unfetched}` };
  const damaged = OPKG_DAMAGED.exec(line)?.[1];
  if (damaged !== undefined)
    return {
      kind: 'checksum',
      package: damaged,
      message: `Could not download package ${damaged}: it is not what the package index says`,
    };
  const [, apkUrl, problem] = APK_INDEX.exec(line) ?? [];
  if (apkUrl !== undefined && problem === 'UNTRUSTED signature')
    return unverified('its signature is missing, wrong or of an unknown key', apkUrl);
  if (apkUrl !== undefined) return { kind: 'download', url: apkUrl, message: `Could not download ${apkUrl}: ${problem}` };
  const [, name, reason] = APK_PACKAGE.exec(line) ?? [];
  if (name === undefined || reason === undefined || !hasVersion(name)) return undefined;
  return {
    kind: NOT_AS_LISTED.test(reason) ? 'checksum' : 'download',
    package: withoutVersion(name),
    message: `Could not download package ${name}: ${reason}`,
  };
}

/**
 * Returns whether the text ends with a version, as in apk's names of packages. It looks behind the last colon, which no
 * version has.
 */
const hasVersion = (name: string): boolean => VERSION.test(name.slice(Math.max(1, name.lastIndexOf(':') + 1)));

const unverified = (reason: string, url: string | undefined): DownloadTrouble => ({
  kind: 'signature',
  ...(url !== undefined && { url }),
  message: `Could not verify ${url ?? 'a package index'}: ${reason}`,
});
