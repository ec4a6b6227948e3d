import { readlink, symlink, unlink } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { withDirectory } from './directory.ts';
import { readEntries, TooManyEntriesError } from './read-entries.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/**
 * Changes the targets of symbolic links in a directory of a tree: each link for which `leadTo` returns a target. A
 * missing directory is ignored.
 */
export async function relink(root: string, path: string, leadTo: (target: string) => string | undefined): Promise<void> {
  try {
    await withDirectory(root, path, async (directory) => {
      for (const entry of await readEntries(directory)) {
        if (!entry.isSymbolicLink()) continue;
        const at = directory.at(entry.name);
        const target = leadTo(await readlink(at));
        if (target === undefined) continue;
        await unlink(at);
        await symlink(target, at);
      }
    });
  } catch (error) {
    if (error instanceof TooManyEntriesError) throw error;
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'ENOENT')) throw error;
  }
}
