import { basename, dirname, extname, join } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { mapAtMost } from '#lib/map-at-most.ts';
import { copyPlainFile, shareFile } from '#runner/files/copy-file.ts';
import { type Directory, withDirectory } from '#runner/files/directory.ts';
import type { Disposal } from '#runner/files/disposal.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { factsInside, factsOf, touchInside } from '#runner/files/facts.ts';
import { readOwnBytes } from '#runner/files/own-directory.ts';
import { putDirectory, putFile } from '#runner/files/put-file.ts';

/**
 * Packages and their indexes, which are kept from build to build under a key for the exact set of package indexes:
 * within one key a file name has one content. Only files that the server fetched itself get in, never files from a
 * build's tree.
 */
export interface PackageCache {
  /** Puts the packages that are cached under the key into the build's `dl`, and returns their number. */
  seed(key: string, dl: string, uid: number | undefined): Promise<number>;
  read(key: string, name: string): Promise<Buffer | undefined>;
  /** Stores a file that the server has fetched and checked for a build. */
  put(key: string, name: string, bytes: Uint8Array): Promise<void>;
  /**
   * Removes the least recently used keys beyond the limit. Call it when a build is over. While builds run, the most
   * recently used key stays, because it belongs to one of them; when the machine is `idle`, it goes as well.
   */
  makeRoom(options?: { idle: boolean }): Promise<void>;
  /** Returns the disk space that the files take, or a little more. */
  bytes(): Promise<number>;
  /** Removes a key. Call it after a failure that a damaged file might explain. */
  forget(key: string): Promise<void>;
}

/** The files that package managers take from `dl/` after checking them. They may take indexes unchecked. */
const PACKAGES = ['.ipk', '.apk'];

/** The limit on a file. OpenWrt's largest packages have tens of megabytes. */
const MAX_FILE = 512 * 1024 * 1024;

/** How many files of one key are read or placed at a time: a process has few descriptors, and a key may have thousands of files. */
const AT_ONCE = 16;

/** Returns a cache in `directory` by key, of at most `maxBytes`. It drops the least recently used keys. */
export function packageCache(directory: string, maxBytes: number, disposal: Pick<Disposal, 'remove'>): PackageCache {
  /** Whether the cache may exceed its limit: a file came since the last look, or an earlier process left the files. */
  let hasGrown = true;
  /** The sum at the last look, and what came since then. */
  let total: number | undefined;
  return {
    seed: async (key, dl, uid) => {
      const all = (await entriesInside(directory, key)).map(({ name }) => name);
      const names = all.filter((name) => !name.startsWith('.') && PACKAGES.includes(extname(name)));
      if (all.length === 0) return 0;
      try {
        await touchInside(directory, key);
        if (names.length === 0) return 0;
        const placed = await withDirectory(directory, key, (from) =>
          withDirectory(dirname(dl), basename(dl), (to) => mapAtMost(names, AT_ONCE, (name) => place(from, to, name, uid)), { uid }),
        );
        return placed.filter(Boolean).length;
      } catch (error) {
        // Another build has evicted the key meanwhile.
        if (hasCode(error, 'ENOENT')) return 0;
        throw error;
      }
    },
    read: (key, name) => readOwnBytes(join(directory, key, name)),
    put: async (key, name, bytes) => {
      if (name.startsWith('.') || bytes.length > MAX_FILE) return;
      hasGrown = true;
      if (total !== undefined) total += bytes.length;
      await putDirectory(directory, key, undefined);
      await putFile(directory, `${key}/${name}`, bytes);
    },
    makeRoom: async ({ idle } = { idle: false }) => {
      if (!hasGrown && !(idle && (total ?? 0) > maxBytes)) return;
      hasGrown = false;
      try {
        total = await dropLeastUsed(directory, maxBytes, idle ? 0 : 1, disposal);
      } catch (error) {
        hasGrown = true;
        throw error;
      }
    },
    bytes: async () => {
      total ??= sumOf(await sizes(directory));
      return total;
    },
    forget: (key) => disposal.remove(join(directory, key)),
  };
}

interface KeySize {
  readonly key: string;
  readonly bytes: number;
  readonly usedAt: number;
}

async function sizes(directory: string): Promise<KeySize[]> {
  const found: KeySize[] = [];
  for (const { name } of await entriesInside(directory, '')) found.push(await size(directory, name));
  return found;
}

const sumOf = (keys: readonly KeySize[]): number => keys.reduce((sum, { bytes }) => sum + bytes, 0);

/** Drops keys until the others fit, but not the last `kept`, and returns the size of the others. */
async function dropLeastUsed(directory: string, maxBytes: number, kept: 0 | 1, disposal: Pick<Disposal, 'remove'>): Promise<number> {
  const keys = await sizes(directory);
  let total = sumOf(keys);
  for (const { key, bytes } of keys.sort((a, b) => a.usedAt - b.usedAt).slice(0, keys.length - kept)) {
    if (total <= maxBytes) break;
    await disposal.remove(join(directory, key));
    total -= bytes;
  }
  return total;
}

/**
 * Puts one package into a build's `dl`, and returns whether it could. A build with a uid of its own cannot write to our
 * files, so its packages need no copy.
 */
async function place(from: Directory, to: Directory, name: string, uid: number | undefined): Promise<boolean> {
  try {
    if (uid !== undefined) await shareFile(from, to, name);
    else if ((await factsOf(to, name)) === undefined) await copyPlainFile(from, to, name, { maxBytes: MAX_FILE });
    else return false;
    return true;
  } catch {
    // The package was removed meanwhile, or is on another file system. The build asks for it then.
    return false;
  }
}

async function size(directory: string, key: string): Promise<KeySize> {
  const names = (await entriesInside(directory, key)).map(({ name }) => name);
  const bytes = await sumOfSizes(directory, key, names);
  return { key, bytes, usedAt: (await factsInside(directory, key))?.mtimeMs ?? 0 };
}

async function sumOfSizes(root: string, key: string, names: readonly string[]): Promise<number> {
  if (names.length === 0) return 0;
  try {
    const sizes = await withDirectory(root, key, (held) =>
      mapAtMost(names, AT_ONCE, async (name) => (await factsOf(held, name))?.size ?? 0),
    );
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}
