import { constants } from 'node:fs';
import { chmod, type FileHandle, link, lstat, open, symlink, utimes } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Directory, directoryOf, holdBelow, holdDirectory, holdEntry, segments } from './directory.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * Fills a tree entry by entry. It creates missing directories, refuses to go through a link (`UnexpectedFileError`),
 * and replaces nothing (the system's EEXIST). Make one call at a time, and call `close` at the end.
 */
export interface TreeWriter {
  /** Creates a directory, unless it exists. */
  directory(path: string): Promise<void>;
  file(path: string, content: AsyncIterable<Uint8Array>, facts: { mode: number; mtime: Date | undefined }): Promise<void>;
  link(path: string, to: string): Promise<void>;
  /** Gives a file of the tree a second name. Throws for anything but a file. */
  secondName(path: string, of: string): Promise<void>;
  /**
   * Sets the mode and time of a directory when it is complete: writing into it changes its time, and it may be
   * read-only.
   */
  setFacts(path: string, facts: { mode: number; mtime: Date | undefined }): Promise<void>;
  close(): Promise<void>;
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Returns a writer for the directory at `root`. It keeps the directory that it last wrote to open, because entries
 * mostly come in order.
 */
export async function treeWriter(root: string): Promise<TreeWriter> {
  const top = await holdDirectory(root);
  let current: { names: readonly string[]; handle: FileHandle } = { names: [], handle: top };

  const leave = async (): Promise<void> => {
    if (current.handle !== top) await current.handle.close();
    current = { names: [], handle: top };
  };
  const enter = async (path: string): Promise<Directory> => {
    const names = segments(path);
    if (!current.names.every((name, at) => names[at] === name)) await leave();
    for (const name of names.slice(current.names.length)) {
      const handle = await holdEntry(directoryOf(current.handle), name, { uid: undefined });
      if (current.handle !== top) await current.handle.close();
      current = { names: [...current.names, name], handle };
    }
    return directoryOf(current.handle);
  };
  const entry = async (path: string): Promise<string> => (await enter(dirname(path))).at(basename(path));

  return {
    directory: async (path) => {
      await enter(path);
    },
    file: async (path, content, { mode, mtime }) => {
      const file = await open(await entry(path), NEW_FILE, mode);
      try {
        for await (const part of content) await file.writeFile(part);
        if (mtime !== undefined) await file.utimes(mtime, mtime);
      } finally {
        await file.close();
      }
    },
    link: async (path, to) => symlink(to, await entry(path)),
    secondName: async (path, of) => {
      const parent = await holdBelow(top, dirname(of));
      try {
        const existing = directoryOf(parent).at(basename(of));
        if (!(await lstat(existing)).isFile()) throw new UnexpectedFileError(`${of}: expected a file`);
        await link(existing, await entry(path));
      } finally {
        await parent.close();
      }
    },
    setFacts: async (path, { mode, mtime }) => {
      const directory = await enter(path);
      await chmod(directory.path, mode);
      if (mtime !== undefined) await utimes(directory.path, mtime, mtime);
    },
    close: async () => {
      await leave();
      await top.close();
    },
  };
}
