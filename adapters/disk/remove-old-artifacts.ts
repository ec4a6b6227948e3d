import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent } from './object-file.ts';
import { writablePlace } from './object-place.ts';
import { removeObject, removeTree } from './remove-objects.ts';

/** Says which old attempts and results are still in use. */
export interface InUse {
  attempt(binDir: string): Promise<boolean>;
  result(hash: string): Promise<boolean>;
}

const HASH = /^[0-9a-f]{64}$/;
const RESULTS = 'api/v1/build';

/**
 * Removes the files and records of each attempt (`store/<bin_dir>/`, `logs/<bin_dir>/`) and each published result
 * (`api/v1/build/<hash>`) whose newest file was written before `olderThan`, and never anything else. It is the backstop
 * behind the sweeper, for objects that no row refers to any more: a database was lost or restored from a backup, or a
 * process crashed at the wrong moment. Returns how many attempts and results it removed. When one cannot be removed, it
 * calls `onError` and goes on with the others.
 */
export async function removeOldArtifacts(
  directory: string,
  olderThan: Date,
  inUse: InUse | undefined,
  onError: (error: unknown) => void,
): Promise<number> {
  const root = await realpath(directory);
  let removed = 0;

  const removeAttempt = async (binDir: string): Promise<boolean> => {
    const trees = [`store/${binDir}`, `logs/${binDir}`].map((key) => writablePlace(root, key));
    const newest = Math.max(...(await Promise.all(trees.map(({ path }) => newestIn(path)))));
    if (newest >= olderThan.getTime() || (await inUse?.attempt(binDir))) return false;
    let objects = 0;
    for (const tree of trees) objects += await removeTree(tree);
    return objects > 0;
  };
  const removeResult = async (hash: string): Promise<boolean> => {
    const place = writablePlace(root, `${RESULTS}/${hash}`);
    if ((await newestIn(place.path)) >= olderThan.getTime() || (await inUse?.result(hash))) return false;
    return (await removeObject(place)) > 0;
  };

  const attempts = new Set([...(await hashesIn(join(root, 'store'))), ...(await hashesIn(join(root, 'logs')))]);
  const results = await hashesIn(join(root, RESULTS));
  const removals = [...[...attempts].map((binDir) => () => removeAttempt(binDir)), ...results.map((hash) => () => removeResult(hash))];
  for (const remove of removals)
    try {
      if (await remove()) removed += 1;
    } catch (error) {
      onError(error);
    }
  return removed;
}

/**
 * Returns the names in a directory that are hashes, as this server names its own; none when the path leads through a
 * link.
 */
async function hashesIn(path: string): Promise<string[]> {
  try {
    if ((await realpath(path)) !== path) return [];
    return (await readdir(path)).filter((name) => HASH.test(name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/**
 * Returns when the newest file at or below the path was written, in milliseconds; for a tree without files, when it
 * last changed.
 */
async function newestIn(path: string): Promise<number> {
  try {
    const stat = await lstat(path);
    if (!stat.isDirectory()) return stat.mtimeMs;
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    const times = await Promise.all(files.map(async (file) => (await lstat(join(file.parentPath, file.name))).mtimeMs));
    return times.length === 0 ? stat.mtimeMs : Math.max(...times);
  } catch (error) {
    if (isAbsent(error)) return Number.NEGATIVE_INFINITY;
    throw error;
  }
}
