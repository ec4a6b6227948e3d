import type { RepositoryIndex } from '../tree/repository-indexes.ts';

/**
 * Returns whether the bytes begin like an index. The server reaches addresses that a build must not reach, so only
 * indexes, signatures and packages go to a build, whatever a repository lists and wherever its name points.
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

/**
 * Returns whether the bytes begin like a package. opkg's packages are packed tar archives or old `ar` archives; apk's
 * begin like its indexes, and those of apk 2 are packed.
 */
export const isPackage = (bytes: Buffer): boolean => [GZIP, '!<arch>', 'ADB'].some((magic) => begins(bytes, magic));

const GZIP = '\x1f\x8b';

const begins = (bytes: Buffer, magic: string): boolean => bytes.subarray(0, magic.length).toString('latin1') === magic;
