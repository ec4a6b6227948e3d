import type { Dirent } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { directoryOf, holdDirectory, holdEntry } from './directory.ts';
import { readRawEntries } from './read-entries.ts';
import { kindOf, UnexpectedFileError } from './unexpected-file.ts';

/** The limit on nested directories. Each one is held open while its subdirectories are checked. */
const MAX_DEPTH = 64;

/** The limit on files, links and directories in a tree. Real ImageBuilders have tens of thousands. */
const MAX_FILES = 500_000;

/** The number of files of a directory that are checked at once. */
const AT_ONCE = 32;

/**
 * Checks that a tree contains nothing that would reach beyond it when it is shared or handed on: only directories,
 * links, and files all of whose names are in the tree. It throws `UnexpectedFileError` for a pipe, socket or device,
 * for a file with another name elsewhere, for a name that is not text, and for more depth or more files than an
 * ImageBuilder has. It throws the signal's reason when the signal aborts. Call it when no process of the tree's owner
 * is left.
 */
export async function checkTree(root: string, signal: AbortSignal, maxFiles = MAX_FILES): Promise<void> {
  const check: Check = { several: new Map(), signal, maxFiles, found: 0 };
  const top = await holdDirectory(root);
  try {
    await checkDirectory(top, '', 0, check);
  } finally {
    await top.close();
  }
  for (const { path, names, found } of check.several.values())
    if (found !== names) throw new UnexpectedFileError(`${path}: a file with ${names - found} names outside of the tree`);
}

interface Check {
  /** The files with more than one name, by device and inode. */
  readonly several: Map<string, { path: string; names: number; found: number }>;
  readonly signal: AbortSignal;
  readonly maxFiles: number;
  /** The number of entries found so far. */
  found: number;
}

async function checkDirectory(handle: FileHandle, path: string, depth: number, check: Check): Promise<void> {
  if (depth > MAX_DEPTH) throw new UnexpectedFileError(`${path}: more than ${MAX_DEPTH} directories within each other`);
  const { several, signal, maxFiles } = check;
  const directory = directoryOf(handle);
  const entries = await readRawEntries(directory, maxFiles);
  check.found += entries.length;
  if (check.found > maxFiles) throw new UnexpectedFileError(`${path}: more than ${maxFiles} files in the tree`);
  const below: string[] = [];
  const checkEntry = async (entry: Dirent<Buffer>): Promise<void> => {
    const name = entry.name.toString('utf8');
    const at = path === '' ? name : `${path}/${name}`;
    if (!Buffer.from(name).equals(entry.name)) throw new UnexpectedFileError(`${at}: a name that is not text`);
    if (entry.isSymbolicLink()) return;
    const facts = await lstat(directory.at(name));
    if (facts.isDirectory()) below.push(name);
    else if (!facts.isFile()) throw new UnexpectedFileError(`${at}: expected a file or directory, found ${kindOf(facts)}`);
    else if (facts.nlink > 1) {
      const known = several.get(`${facts.dev}:${facts.ino}`) ?? { path: at, names: facts.nlink, found: 0 };
      known.found++;
      several.set(`${facts.dev}:${facts.ino}`, known);
    }
  };
  while (entries.length > 0) {
    signal.throwIfAborted();
    await Promise.all(entries.splice(-AT_ONCE).map(checkEntry));
  }
  for (const name of below) {
    const inner = await holdEntry(directory, name);
    try {
      await checkDirectory(inner, path === '' ? name : `${path}/${name}`, depth + 1, check);
    } finally {
      await inner.close();
    }
  }
}
