import { join } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import type { Disposal } from '#runner/files/disposal.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { factsInside, renameInside, touchInside } from '#runner/files/facts.ts';
import { ownedName, sweepOwned } from '#runner/files/owned-name.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { putDirectory, putFile } from '#runner/files/put-file.ts';
import { runTool } from '../process/run-tool.ts';

/** An unpacked ImageBuilder in the cache. Nothing is written below `tree`. */
export interface CachedImagebuilder {
  readonly sha256: string;
  readonly tree: string;
  /** The facts that `fill` returned about it. */
  readonly facts: unknown;
}

export interface ImagebuilderCache {
  /**
   * Runs `use` with the ImageBuilder of that digest, which stays in the cache meanwhile. `fill` makes a missing one: it
   * leaves the tree in the (empty) directory that it gets, and returns its size and the facts to store. Concurrent
   * calls share one `fill`, which is stopped only when all callers have given up.
   */
  use<T>(
    sha256: string,
    fill: (directory: string, signal: AbortSignal) => Promise<{ bytes: number; facts: unknown }>,
    signal: AbortSignal,
    use: (cached: CachedImagebuilder) => Promise<T>,
  ): Promise<T>;
  has(sha256: string): Promise<boolean>;
  /** Removes the unfinished work of an earlier process. Call it once, before `use`. */
  sweep(): Promise<void>;
  /**
   * Removes what is spare, and then the least recently used ImageBuilders that are not in use, until `bytes` more fit
   * under the limit.
   */
  makeRoom(bytes: number): Promise<void>;
  /** Returns how much more fits under the limit; a negative number if it is exceeded. */
  room(): Promise<number>;
}

/** What else takes a part of the limit on ImageBuilders. */
export interface BesideImagebuilders {
  /** Returns the disk space of what stays. */
  readonly taken?: () => Promise<number>;
  /** What goes before any ImageBuilder does. */
  readonly spare?: { bytes(): number; drop(): Promise<void> };
}

const FACTS = 'imagebuilder.json';
const TREE = 'tree';

interface Remembered {
  readonly bytes: number;
  readonly facts: unknown;
}

interface Filling {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Returns a cache of ImageBuilders by digest in an existing directory. It keeps at most `maxBytes` of them besides
 * those in use, less what `beside` takes of this limit.
 */
export function imagebuilderCache(
  directory: string,
  maxBytes: number,
  disposal: Pick<Disposal, 'remove'>,
  { taken = async () => 0, spare }: BesideImagebuilders = {},
): ImagebuilderCache {
  const inUse = new Map<string, number>();
  /** The removals in progress. A build that needs the ImageBuilder waits for its end, and fills the cache again. */
  const leaving = new Map<string, Promise<void>>();
  const filling = new Map<string, Filling>();

  const hold = (sha256: string) => inUse.set(sha256, (inUse.get(sha256) ?? 0) + 1);
  const letGo = (sha256: string) => {
    const left = (inUse.get(sha256) ?? 1) - 1;
    if (left === 0) inUse.delete(sha256);
    else inUse.set(sha256, left);
  };

  const read = async (sha256: string): Promise<CachedImagebuilder | undefined> => {
    const remembered = await rememberedOf(directory, sha256);
    return remembered && { sha256, tree: join(directory, sha256, TREE), facts: remembered.facts };
  };

  /** Hides the tree in one step before it removes it, so that no build finds half a tree. */
  const discard = async (sha256: string): Promise<void> => {
    const discarded = ownedName('discarded');
    try {
      await renameInside(directory, sha256, discarded);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await disposal.remove(join(directory, discarded));
  };

  const sumOf = async (entries: readonly { readonly bytes: number }[]): Promise<number> =>
    (await taken()) + (spare?.bytes() ?? 0) + entries.reduce((sum, { bytes }) => sum + bytes, 0);

  const makeRoom = async (wanted: number): Promise<void> => {
    const entries = await list(directory);
    if (wanted + (await sumOf(entries)) > maxBytes) await spare?.drop();
    let total = wanted + (await sumOf(entries));
    for (const { sha256, bytes } of entries.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= maxBytes) return;
      if (inUse.has(sha256)) continue;
      const removal = discard(sha256).finally(() => leaving.delete(sha256));
      leaving.set(sha256, removal);
      await removal;
      total -= bytes;
    }
  };

  const make = async (sha256: string, fill: Parameters<ImagebuilderCache['use']>[1], signal: AbortSignal): Promise<void> => {
    const name = ownedName('unfinished');
    const unfinished = join(directory, name);
    try {
      await putDirectory(directory, join(name, TREE), undefined);
      signal.throwIfAborted();
      const { bytes, facts } = await fill(join(unfinished, TREE), signal);
      signal.throwIfAborted();
      // The facts are written last, after the tree is on the disk: an entry without facts does not count, and one with
      // facts must be complete even after a loss of power.
      await runTool('sync', ['-f', unfinished], { cwd: '/', signal });
      await putFile(unfinished, FACTS, JSON.stringify({ bytes, facts } satisfies Remembered), { flush: true });
      await makeRoom(bytes);
      await renameInside(directory, name, sha256).catch(async (error: unknown) => {
        // Another process was faster, or left an entry that cannot be read.
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
        if ((await read(sha256)) !== undefined) return;
        await discard(sha256);
        await renameInside(directory, name, sha256);
      });
    } finally {
      await disposal.remove(unfinished);
    }
  };

  const forget = (sha256: string, abort: AbortController): void => {
    if (filling.get(sha256)?.abort === abort) filling.delete(sha256);
  };

  /** Joins the fill that is in progress, or starts one; stops waiting when `signal` aborts. */
  const filled = async (sha256: string, fill: Parameters<ImagebuilderCache['use']>[1], signal: AbortSignal): Promise<void> => {
    let current = filling.get(sha256);
    if (current === undefined) {
      const abort = new AbortController();
      const done = make(sha256, fill, abort.signal).finally(() => forget(sha256, abort));
      done.catch(() => undefined);
      current = { done, abort, waiting: 0 };
      filling.set(sha256, current);
    }
    current.waiting++;
    const { done, abort } = current;
    let leave = (): void => undefined;
    try {
      await Promise.race([
        done,
        new Promise<never>((_, reject) => {
          leave = () => reject(signal.reason);
          signal.addEventListener('abort', leave);
          if (signal.aborted) leave();
        }),
      ]);
    } catch (error) {
      if (--current.waiting === 0) {
        // Later callers start from scratch instead of joining the fill that is being stopped.
        forget(sha256, abort);
        abort.abort(error);
        // The fill must have stopped completely when the last caller has gone.
        await done.catch(() => undefined);
      }
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  };

  return {
    use: async (sha256, fill, signal, use) => {
      hold(sha256);
      try {
        await leaving.get(sha256)?.catch(() => undefined);
        let cached = await read(sha256);
        if (cached === undefined) {
          await filled(sha256, fill, signal);
          cached = await read(sha256);
        }
        if (cached === undefined) throw new Error(`ImageBuilder ${sha256} vanished from the cache`);
        await touchInside(directory, join(sha256, FACTS));
        return await use(cached);
      } finally {
        letGo(sha256);
      }
    },
    has: async (sha256) => (await read(sha256)) !== undefined,
    sweep: async () => {
      for (const left of ['unfinished', 'discarded']) await sweepOwned(directory, left, disposal.remove);
    },
    makeRoom,
    room: async () => maxBytes - (await sumOf(await list(directory))),
  };
}

async function rememberedOf(directory: string, sha256: string): Promise<Remembered | undefined> {
  const text = await readInside(directory, join(sha256, FACTS));
  try {
    return text && (JSON.parse(text.toString('utf8')) as Remembered);
  } catch {
    return undefined;
  }
}

async function list(directory: string): Promise<{ sha256: string; bytes: number; usedAt: number }[]> {
  const entries = await Promise.all(
    (await entriesInside(directory, '')).map(async ({ name }) => {
      const remembered = name.includes('.') ? undefined : await rememberedOf(directory, name);
      const usedAt = (await factsInside(directory, join(name, FACTS)))?.mtimeMs;
      return remembered && usedAt !== undefined ? [{ sha256: name, bytes: remembered.bytes, usedAt }] : [];
    }),
  );
  return entries.flat();
}
