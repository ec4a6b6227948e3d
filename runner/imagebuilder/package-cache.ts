import { randomUUID } from 'node:crypto';
import { chmod, chown, constants, copyFile, link, lstat, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { putDirectory } from './put-file.ts';
import { removeTree } from './remove-tree.ts';

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

/** A cache in `directory` by key, at most `maxBytes`, least recently used keys out. */
export function packageCache(directory: string, maxBytes: number): PackageCache {
  const makeRoom = async (kept: string): Promise<void> => {
    const keys = await Promise.all((await readdir(directory).catch(() => [])).map((key) => size(directory, key)));
    let total = keys.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { key, bytes } of keys.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= maxBytes) return;
      if (key === kept) continue;
      await removeTree(join(directory, key));
      total -= bytes;
    }
  };

  return {
    seed: async (key, dl, uid) => {
      const from = join(directory, key);
      const names = await readdir(from).catch(() => undefined);
      if (names === undefined) return 0;
      const now = new Date();
      await utimes(from, now, now).catch(() => undefined);
      await putDirectory(dl, uid);
      const placed = await Promise.all(
        names.filter((name) => !name.startsWith('.')).map((name) => place(join(from, name), join(dl, name), uid)),
      );
      return placed.filter(Boolean).length;
    },
    keep: async (key, dl, indexes) => {
      const to = join(directory, key);
      if (!(await lstat(dl).catch(() => undefined))?.isDirectory()) return;
      await mkdir(to, { recursive: true });
      for (const name of await readdir(dl).catch(() => [])) {
        if (name.startsWith('.') || !(PACKAGES.includes(extname(name)) || indexes.includes(name))) continue;
        const facts = await lstat(join(dl, name));
        if (!facts.isFile() || facts.nlink !== 1) continue;
        const known = await stat(join(to, name)).catch(() => undefined);
        if (known?.size === facts.size) continue;
        await copyWhole(join(dl, name), join(to, name), to);
      }
      await makeRoom(key);
    },
    forget: (key) => removeTree(join(directory, key)),
  };
}

/**
 * A build with a uid of its own cannot write to our files, so packages need no copy. An index is a copy always: package
 * managers write them in place.
 */
async function place(from: string, to: string, uid: number | undefined): Promise<boolean> {
  try {
    if (uid !== undefined && PACKAGES.includes(extname(from))) await link(from, to);
    else {
      await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      if (uid !== undefined) await chown(to, uid, uid);
    }
    return true;
  } catch {
    // Evicted meanwhile, or another file system: then it is downloaded.
    return false;
  }
}

/** Whole or not at all, and never with the build's owner or mode. */
async function copyWhole(from: string, to: string, directory: string): Promise<void> {
  const temporary = join(directory, `.${randomUUID()}`);
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await chmod(temporary, 0o644);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function size(directory: string, key: string): Promise<{ key: string; bytes: number; usedAt: number }> {
  const at = join(directory, key);
  const names = await readdir(at).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(at, name)).then(
        (facts) => facts.size,
        () => 0,
      ),
    ),
  );
  const usedAt = await stat(at).then(
    (facts) => facts.mtimeMs,
    () => 0,
  );
  return { key, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0), usedAt };
}
