import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import type { IndexesRead } from './used-indexes.ts';

/** The differences between the indexes that a build read and those that its request hash was made over. */
interface IndexComparison {
  /** The sources that upstream has changed since. */
  readonly moved: readonly string[];
  /** The sources that the hash was not made over: the client's own, or of a form for which upstream lists no digest. */
  readonly unknown: readonly string[];
  /** The sources that the hash was made over and that the build did not get. */
  readonly lacking: readonly string[];
}

/** Compares digests. Package managers keep indexes unchanged, so both digests are over the same bytes. */
export function compareIndexes(ordered: IndexDigests, { used, absent }: IndexesRead): IndexComparison {
  const moved: string[] = [];
  const unknown: string[] = [];
  for (const { source, sha256 } of used) {
    const expected = ordered[source];
    if (expected === undefined) unknown.push(source);
    else if (expected !== sha256) moved.push(source);
  }
  // If not one index was found, this ImageBuilder keeps them in an unknown place, which says nothing about the build.
  const lacking = used.length === 0 ? [] : absent.filter((source) => ordered[source] !== undefined);
  return { moved, unknown, lacking };
}
