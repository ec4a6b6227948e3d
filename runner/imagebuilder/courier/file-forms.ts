import type { RepositoryIndex } from '../tree/repository-indexes.ts';

/**
 * The forms that indexes, signatures and packages have. The server reaches addresses that a build must not, so no answer of
 * another form goes to a build, whatever a repository lists and wherever its name leads.
 */
export function isIndex(bytes: Buffer, format: RepositoryIndex['format']): boolean {
  if (format === 'adb') return begins(bytes, 'ADB');
  if (format === 'packed') return begins(bytes, GZIP);
  if (bytes.length <= MAX_EMPTY && bytes.toString('latin1').trim() === '') return true;
  return /^(?:Package|Version|Architecture): /.test(bytes.subarray(0, 16).toString('latin1'));
}

/** An index that lists no package has some line ends at most. */
const MAX_EMPTY = 1024;

export const isSignature = (bytes: Buffer): boolean => begins(bytes, 'untrusted comment:');

/** opkg's packages are packed tar archives or, of old, `ar` archives; apk's begin as its indexes do, those of apk 2 are packed. */
export const isPackage = (bytes: Buffer): boolean => [GZIP, '!<arch>', 'ADB'].some((magic) => begins(bytes, magic));

const GZIP = '\x1f\x8b';

const begins = (bytes: Buffer, magic: string): boolean => bytes.subarray(0, magic.length).toString('latin1') === magic;
