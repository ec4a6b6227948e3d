import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A directory name that says which process it belongs to, so that leftovers of a killed one can be told. */
export const ownedName = (prefix: string): string => `${prefix}.${process.pid}.${randomUUID().slice(0, 8)}`;

/**
 * Hands to `remove` what processes that are no more left under names of `ownedName`. Ours count as theirs: call it before making
 * any (after a restart in a container the process has the number that the killed one had).
 */
export async function sweepOwned(directory: string, prefix: string, remove: (path: string) => Promise<void>): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      if (!name.startsWith(`${prefix}.`)) return;
      const pid = Number(name.slice(prefix.length + 1).split('.')[0]);
      if (pid === process.pid || !(await isNode(pid))) await remove(join(directory, name));
    }),
  );
}

/** Whether the process lives and could be one of us, not some other program that was given the number since. */
export async function isNode(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return command.startsWith('node') || command.startsWith('MainThread');
}
