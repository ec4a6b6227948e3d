/** A file that a package manager could not fetch or did not trust. */
export interface DownloadTrouble {
  readonly kind: 'download' | 'signature';
  /** The subject of the message: for an index its URL, if the package manager prints it. */
  readonly url?: string;
  /** A sentence for people, without a full stop. */
  readonly message: string;
}

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
const APK_PACKAGE = /^ERROR: (\S+): (?!trying to overwrite )(.+)$/;
const VERSION = /-\d/;

/**
 * Returns what opkg or apk could not download or verify, in the order of their messages. They continue, and then report
 * every package of such an index as missing, so callers must look here first.
 */
export function downloadTroubles(lines: readonly string[]): DownloadTrouble[] {
  const troubles: DownloadTrouble[] = [];
  let fetching: string | undefined;
  for (const line of lines) {
    fetching = OPKG_FETCHING.exec(line)?.[1] ?? fetching;
    const trouble = troubleOf(line, fetching);
    if (trouble !== undefined) troubles.push(trouble);
  }
  return troubles;
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
    return { kind: 'download', message: `Could not download package ${damaged}: it is not what the package index says` };
  const [, apkUrl, problem] = APK_INDEX.exec(line) ?? [];
  if (apkUrl !== undefined && problem === 'UNTRUSTED signature')
    return unverified('its signature is missing, wrong or of an unknown key', apkUrl);
  if (apkUrl !== undefined) return { kind: 'download', url: apkUrl, message: `Could not download ${apkUrl}: ${problem}` };
  const [, name, reason] = APK_PACKAGE.exec(line) ?? [];
  if (name !== undefined && hasVersion(name)) return { kind: 'download', message: `Could not download package ${name}: ${reason}` };
  return undefined;
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
