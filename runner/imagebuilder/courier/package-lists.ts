import { LRUCache } from 'lru-cache';
import type { ListedPackage } from '#core/imagebuilder/package-files.ts';
import type { RepositoryIndex } from '../tree/repository-indexes.ts';
import { listedPackages } from './listed-packages.ts';

/** The packages that indexes list. Reading all feeds of a target takes half a second of a processor. */
export interface PackageLists {
  /**
   * Returns the packages that an index lists, and throws when the bytes are not an index. With the index's SHA-256 the
   * list is kept for later builds, and an index that was read is not read again.
   */
  read(bytes: Buffer, format: RepositoryIndex['format'], sha256?: string): Promise<readonly ListedPackage[]>;
}

/**
 * The limit on the packages of all lists that are kept. The feeds of one target list 11,000, which take 12 MB; targets of
 * one architecture share most of them.
 */
const MAX_PACKAGES = 30_000;

/** Returns lists in the memory of this process. They keep those that were used last. */
export function packageLists(maxPackages = MAX_PACKAGES): PackageLists {
  const kept = new LRUCache<string, readonly ListedPackage[]>({
    maxSize: maxPackages,
    sizeCalculation: (list) => list.length + 1,
  });
  return {
    read: async (bytes, format, sha256) => {
      const key = `${format} ${sha256}`;
      const before = sha256 === undefined ? undefined : kept.get(key);
      if (before !== undefined) return before;
      const list = await listedPackages(bytes, format);
      if (sha256 !== undefined) kept.set(key, list);
      return list;
    },
  };
}
