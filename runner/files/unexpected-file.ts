import type { Stats } from 'node:fs';

/**
 * A file or directory was expected, and there is something else: a link, a pipe, a file with a second name, one that is too
 * large. The message names places inside the tree only, so that it may be shown to anybody.
 */
export class UnexpectedFileError extends Error {
  override readonly name = 'UnexpectedFileError';
}

/** What the facts say that it is, in words. */
export function kindOf(facts: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'nlink'>): string {
  if (facts.isFile()) return facts.nlink === 1 ? 'a file' : `a file with ${facts.nlink} names`;
  if (facts.isDirectory()) return 'a directory';
  if (facts.isSymbolicLink()) return 'a symbolic link';
  if (facts.isFIFO()) return 'a pipe';
  return facts.isSocket() ? 'a socket' : 'a device';
}
