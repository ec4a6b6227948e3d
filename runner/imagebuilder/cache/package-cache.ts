import { basename, dirname, extname, join } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import { copyPlainFile, shareFile } from '#runner/files/copy-file.ts';
import { type Directory, withDirectory } from '#runner/files/directory.ts';
import type { Disposal } from '#runner/files/disposal.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { factsInside, factsOf, touchInside } from '#runner/files/facts.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';

/**
 * What package managers downloaded into `dl/`, kept from build to build under a key that stands for the exact set of package
 * indexes: within one key a file name has one content. Package managers check what packages they find there against the
 * index like what they download. An index they may take as it is, when it cannot be had anew, so only those come in that
 * the key stands for.
 */
export interface PackageCache {
  /** Puts what is known under the key into the build's `dl`. Answers how many files that were. */
  seed(key: string, dl: string, uid: number | undefined): Promise<number>;
  /** Keeps the packages, and of the rest what `indexes` names, that a build with packages of the known feeds only has in its `dl`. */
  keep(key: string, dl: string, indexes: readonly string[]): Promise<void>;
  /** Forgets a key: after a failure that a damaged file might explain. */
  forget(key: string): Promise<void>;
}

/** Packages never change under their name; an index the next run may rewrite. */
const PACKAGES = ['.ipk', '.apk'];

/** The largest package of OpenWrt has some tens of megabytes. */
const MAX_FILE = 512 * 1024 * 1024;

/** A cache in `directory` by key, at most `maxBytes`, least recently used keys out. */
export function packageCache(directory: string, maxBytes: number, disposal: Pick<Disposal, 'remove'>): PackageCache {
  const makeRoom = async (kept: string): Promise<void> => {
    const keys = await Promise.all((await entriesInside(directory, '')).map(({ name }) => size(directory, name)));
    let total = keys.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { key, bytes } of keys.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= maxBytes) return;
      if (key === kept) continue;
      await disposal.remove(join(directory, key));
      total -= bytes;
    }
  };

  return {
    seed: async (key, dl, uid) => {
      const names = (await entriesInside(directory, key)).map(({ name }) => name).filter((name) => !name.startsWith('.'));
      if (names.length === 0) return 0;
      await touchInside(directory, key);
      const placed = await withDirectory(directory, key, (from) =>
        inDirectory(dl, uid, (to) => Promise.all(names.map((name) => place(from, to, name, uid)))),
      );
      return placed.filter(Boolean).length;
    },
    keep: async (key, dl, indexes) => {
      const [tree, name] = [dirname(dl), basename(dl)];
      const isWanted = (file: string) => !file.startsWith('.') && (PACKAGES.includes(extname(file)) || indexes.includes(file));
      const wanted = (await entriesInside(tree, name)).filter((entry) => entry.isFile() && isWanted(entry.name));
      if (wanted.length === 0) return;
      await withDirectory(tree, name, (from) =>
        inDirectory(join(directory, key), undefined, async (to) => {
          for (const file of wanted) await keepFile(from, to, file.name);
        }),
      );
      await makeRoom(key);
    },
    forget: (key) => disposal.remove(join(directory, key)),
  };
}

const inDirectory = <T>(path: string, uid: number | undefined, use: (directory: Directory) => Promise<T>): Promise<T> =>
  withDirectory(dirname(path), basename(path), use, { uid });

/**
 * A build with a uid of its own cannot write to our files, so packages need no copy. An index is a copy always: package
 * managers write them in place.
 */
async function place(from: Directory, to: Directory, name: string, uid: number | undefined): Promise<boolean> {
  try {
    if (uid !== undefined && PACKAGES.includes(extname(name))) await shareFile(from, to, name);
    else if ((await factsOf(to, name)) === undefined) await copyPlainFile(from, to, name, { uid, maxBytes: MAX_FILE });
    else return false;
    return true;
  } catch {
    // Evicted meanwhile, or another file system: then it is downloaded.
    return false;
  }
}

/** What a build made of a package's place (a link, a pipe, a file with a second name) is not kept. */
async function keepFile(from: Directory, to: Directory, name: string): Promise<void> {
  const [size, known] = [(await factsOf(from, name))?.size, (await factsOf(to, name))?.size];
  if (known === size) return;
  await copyPlainFile(from, to, name, { maxBytes: MAX_FILE }).catch((error: unknown) => {
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'ENOENT')) throw error;
  });
}

async function size(directory: string, key: string): Promise<{ key: string; bytes: number; usedAt: number }> {
  const files = await Promise.all((await entriesInside(directory, key)).map(({ name }) => factsInside(directory, join(key, name))));
  const bytes = files.reduce((sum, facts) => sum + (facts?.size ?? 0), 0);
  return { key, bytes, usedAt: (await factsInside(directory, key))?.mtimeMs ?? 0 };
}
