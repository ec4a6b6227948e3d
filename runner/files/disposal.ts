import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/** Something that could not be removed, and what became of it. */
export interface Leftover {
  readonly path: string;
  readonly reason: string;
  /** Where it lies now; its own path where it could not even be moved. */
  readonly keptAt: string;
}

/** Takes away what builds leave. What a script can make must not stop anybody: nothing here ever rejects. */
export interface Disposal {
  /** Removes a file or tree. What cannot be removed, or not in time, is set aside and reported once. */
  remove(path: string): Promise<void>;
  /** Tries again to remove what was set aside, for a bounded time, and answers how many things are left. */
  retry(): Promise<number>;
}

/** For how long a removal is waited for: the largest ordinary tree takes some seconds on a slow disk. */
const PATIENCE_MS = 30_000;

/** Removes by `removeTree`, and sets aside in the directory `quarantine`, which is on the same file system. */
export function disposal(options: {
  quarantine: string;
  onLeftover: (leftover: Leftover) => void;
  patience?: () => AbortSignal;
}): Disposal {
  const { quarantine, onLeftover, patience = () => AbortSignal.timeout(PATIENCE_MS) } = options;

  const removed = async (path: string, signal: AbortSignal): Promise<unknown> => {
    try {
      await removeTree(path, signal);
      return undefined;
    } catch (error) {
      return signal.aborted ? new Error('it takes too long to remove') : error;
    }
  };

  const setAside = async (path: string): Promise<string> => {
    const aside = join(quarantine, `${basename(path)}.${randomUUID().slice(0, 8)}`);
    try {
      await mkdir(quarantine, { recursive: true, mode: 0o700 });
      await rename(path, aside);
      return aside;
    } catch {
      return path;
    }
  };

  return {
    remove: async (path) => {
      const failure = await removed(path, patience());
      if (failure === undefined) return;
      const reason = reasonOf(failure);
      onLeftover({ path, reason, keptAt: await setAside(path) });
    },
    retry: async () => {
      const signal = patience();
      const names = await readdir(quarantine).catch(() => []);
      const failures = await Promise.all(names.map((name) => removed(join(quarantine, name), signal)));
      return failures.filter((failure) => failure !== undefined).length;
    },
  };
}

/**
 * Why something could not be removed, for the log: a code, since the text of the system's errors names files of private
 * builds.
 */
function reasonOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const { code, syscall } = failure as NodeJS.ErrnoException;
  return code === undefined ? failure.message : [code, syscall].filter((part) => part !== undefined).join(' ');
}
