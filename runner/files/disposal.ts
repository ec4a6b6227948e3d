import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { entriesInside } from './entries.ts';
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
  /** Removes a file or tree. What cannot be removed, or not in time, is set aside and reported once, and tried again later. */
  remove(path: string): Promise<void>;
  /** Tries again to remove what was set aside, for a bounded time, and answers how many things are left. Several calls are one. */
  retry(): Promise<number>;
  /** Waits for such a try where too much is set aside. Call it before a build: then builds cannot add faster than is removed. */
  relieve(): Promise<void>;
}

/** For how long a removal is waited for: the largest ordinary tree takes some seconds on a slow disk. */
const PATIENCE_MS = 30_000;

/** Pauses between tries: the first, doubled each time as long as nothing new comes, and the longest. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** So many things may be set aside before builds wait. */
const MAX_ASIDE = 16;

export interface DisposalOptions {
  /** Where things are set aside: a directory on the file system of what is removed. */
  readonly quarantine: string;
  readonly onLeftover: (leftover: Leftover) => void;
  /** Called after each try that left something, with how many things that is. */
  readonly onStillLeft?: (count: number) => void;
  readonly patience?: () => AbortSignal;
  readonly firstPauseMs?: number;
}

/** Removes by `removeTree`, and tries again while the process lives what it had to set aside. */
export function disposal(options: DisposalOptions): Disposal {
  const { quarantine, onLeftover, onStillLeft = () => undefined, firstPauseMs = FIRST_PAUSE_MS } = options;
  const { patience = () => AbortSignal.timeout(PATIENCE_MS) } = options;
  let aside = 0;
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let trying: Promise<number> | undefined;

  const removed = async (path: string, signal: AbortSignal): Promise<unknown> => {
    try {
      await removeTree(path, signal);
      return undefined;
    } catch (error) {
      return signal.aborted ? new Error('it takes too long to remove') : error;
    }
  };

  const setAside = async (path: string): Promise<string> => {
    const to = join(quarantine, `${basename(path)}.${randomUUID().slice(0, 8)}`);
    try {
      await mkdir(quarantine, { recursive: true, mode: 0o700 });
      await rename(path, to);
      aside += 1;
      pauseMs = firstPauseMs;
      later();
      return to;
    } catch {
      return path;
    }
  };

  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void retry(), pauseMs).unref();
  };

  /** One after the other, so that each gets further within the time. */
  const tryAll = async (): Promise<number> => {
    const signal = patience();
    let left = 0;
    for (const { name } of await entriesInside(quarantine, '').catch(() => []))
      if ((await removed(join(quarantine, name), signal)) !== undefined) left += 1;
    aside = left;
    if (left > 0) {
      onStillLeft(left);
      later();
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
    return left;
  };

  const retry = (): Promise<number> => {
    trying ??= tryAll().finally(() => {
      trying = undefined;
    });
    return trying;
  };

  return {
    remove: async (path) => {
      const failure = await removed(path, patience());
      if (failure === undefined) return;
      const reason = reasonOf(failure);
      onLeftover({ path, reason, keptAt: await setAside(path) });
    },
    retry,
    relieve: async () => {
      if (aside > MAX_ASIDE) await retry();
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
