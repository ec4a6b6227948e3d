import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Returns a directory name that names its process, so that the leftovers of a killed process can be recognised. */
export const ownedName = (prefix: string): string => `${prefix}.${process.pid}.${randomUUID().slice(0, 8)}`;

/**
 * Calls `remove` with what ended processes left under names of `ownedName`. Names of this process count as leftovers,
 * too, because a restarted container reuses process ids; call it before creating any.
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

/**
 * Returns whether the process lives and could be a server, rather than some other program that got the same id since.
 */
export async function isNode(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return command.startsWith('node') || command.startsWith('MainThread');
}
