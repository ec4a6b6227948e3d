import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { entriesInside } from './entries.ts';
import { removeTree } from './remove-tree.ts';

/** Something that could not be removed, and where it is now. */
export interface Leftover {
  readonly path: string;
  readonly reason: string;
  /** The path where it is now. It is the original path when it could not even be moved. */
  readonly keptAt: string;
}

/** Removes what builds leave behind. It never rejects, so that nothing a script creates can stop the server. */
export interface Disposal {
  /**
   * Removes a file or tree. What cannot be removed, or not in time, is set aside, reported once, and tried again later.
   */
  remove(path: string): Promise<void>;
  /**
   * Tries again, for a bounded time, to remove what was set aside, and returns how many things are left. Concurrent
   * calls share one try.
   */
  retry(): Promise<number>;
  /**
   * Waits for such a try when too much is set aside. Call it before each build, so that builds cannot add faster than
   * this removes.
   */
  relieve(): Promise<void>;
}

/** The time limit on one removal. The largest ordinary tree takes some seconds on a slow disk. */
const PATIENCE_MS = 30_000;

/**
 * The first and the longest pause between tries. Each pause is twice the one before unless something new is set aside.
 */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** The number of things that may be set aside before builds wait. */
const MAX_ASIDE = 16;

export interface DisposalOptions {
  /** The directory to set things aside in. It must be on the same file system as what is removed. */
  readonly quarantine: string;
  readonly onLeftover: (leftover: Leftover) => void;
  /** Called after each try that left something, with the number of things left. */
  readonly onStillLeft?: (count: number) => void;
  readonly patience?: () => AbortSignal;
  readonly firstPauseMs?: number;
}

/** Returns a disposal that removes with `removeTree`, and retries what it had to set aside while the process lives. */
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

  /** Removes one thing after the other, so that each gets as far as possible within the time. */
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
 * Returns for the log why something could not be removed. It is a code, because the texts of system errors name files
 * of private builds.
 */
function reasonOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const { code, syscall } = failure as NodeJS.ErrnoException;
  return code === undefined ? failure.message : [code, syscall].filter((part) => part !== undefined).join(' ');
}
