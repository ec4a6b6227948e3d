import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import type { IndexesRead } from './used-indexes.ts';

/** How the indexes that a build read stand to those that its request hash was made over. */
interface IndexComparison {
  /** Sources that upstream has changed since. */
  readonly moved: readonly string[];
  /** Sources that the hash was not made over: the client's own, or of a form that upstream lists no digest of. */
  readonly unknown: readonly string[];
  /** Sources that the hash was made over and the build went without. */
  readonly lacking: readonly string[];
}

/** Package managers keep indexes as they came, so the digests of both are of the same bytes. */
export function compareIndexes(ordered: IndexDigests, { used, absent }: IndexesRead): IndexComparison {
  const moved: string[] = [];
  const unknown: string[] = [];
  for (const { source, sha256 } of used) {
    const expected = ordered[source];
    if (expected === undefined) unknown.push(source);
    else if (expected !== sha256) moved.push(source);
  }
  // Where not one was found, they lie where nobody looks: that says nothing of the build.
  const lacking = used.length === 0 ? [] : absent.filter((source) => ordered[source] !== undefined);
  return { moved, unknown, lacking };
}
