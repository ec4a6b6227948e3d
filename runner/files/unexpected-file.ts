import type { Stats } from 'node:fs';

/**
 * Thrown when something other than the expected file or directory is found: a link, a pipe, a file with a second name
 * or one that is too large. The message names only places inside the tree, so anyone may see it.
 */
export class UnexpectedFileError extends Error {
  override readonly name = 'UnexpectedFileError';
}

/** Returns the kind of a file in words. */
export function kindOf(facts: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'nlink'>): string {
  if (facts.isFile()) return facts.nlink === 1 ? 'a file' : `a file with ${facts.nlink} names`;
  if (facts.isDirectory()) return 'a directory';
  if (facts.isSymbolicLink()) return 'a symbolic link';
  if (facts.isFIFO()) return 'a pipe';
  return facts.isSocket() ? 'a socket' : 'a device';
}
