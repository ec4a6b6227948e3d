import { readlink, symlink, unlink } from 'node:fs/promises';
import { hasCode } from '#lib/has-code.ts';
import { withDirectory } from './directory.ts';
import { readEntries, TooManyEntriesError } from './read-entries.ts';
import { UnexpectedFileError } from './unexpected-file.ts';

/** Leads the symbolic links of a directory of a tree elsewhere, those for which `leadTo` answers a target. No directory: nothing. */
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
