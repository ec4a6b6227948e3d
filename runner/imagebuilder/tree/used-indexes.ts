import { join } from 'node:path';
import { readInside } from '#runner/files/plain-file.ts';
import { digestOf } from './digest-of.ts';
import { type Repositories, repositoryIndexes } from './repository-indexes.ts';

/** A package index that a build read. */
export interface UsedIndex {
  /** The path below the upstream base if the index is OpenWrt's, otherwise its URL. */
  readonly source: string;
  readonly sha256: string;
}

export interface IndexesRead {
  readonly used: readonly UsedIndex[];
  /** The sources that the repository file names and that the build did not get. */
  readonly absent: readonly string[];
}

/**
 * Returns the indexes in a tree whose build is over, each with its digest: of the bytes that the build was `given`,
 * whatever it has done to them, or otherwise of the bytes in the tree.
 */
export async function usedIndexes(
  tree: string,
  repositories: Repositories,
  given: ReadonlyMap<string, string> = new Map(),
): Promise<IndexesRead> {
  const used: UsedIndex[] = [];
  const absent: string[] = [];
  for (const { source, file } of repositoryIndexes(repositories)) {
    const bytes = await readInside(tree, join('dl', file));
    if (bytes === undefined) absent.push(source);
    else used.push({ source, sha256: given.get(source) ?? (await digestOf(bytes)) });
  }
  return { used, absent };
}
