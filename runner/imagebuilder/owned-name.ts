import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/** A directory name that says which process it belongs to, so that leftovers of a killed one can be told. */
export const ownedName = (prefix: string): string => `${prefix}.${process.pid}.${randomUUID().slice(0, 8)}`;

/**
 * Removes what processes that are no more left under names of `ownedName`. Ours count as theirs: call it before making
 * any (after a restart in a container the process has the number that the killed one had).
 */
export async function sweepOwned(directory: string, prefix: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const swept: string[] = [];
  for (const name of names) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const pid = Number(name.slice(prefix.length + 1).split('.')[0]);
    if (pid !== process.pid && (await isNode(pid))) continue;
    await removeTree(join(directory, name));
    swept.push(name);
  }
  return swept;
}

/** Whether the process lives and could be one of us, not some other program that was given the number since. */
async function isNode(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return command.startsWith('node') || command.startsWith('MainThread');
}
