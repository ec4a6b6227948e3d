import { basename, dirname, join } from 'node:path';
import { hasCode } from '#lib/has-code.ts';
import type { Disposal } from '#runner/files/disposal.ts';
import { factsInside, moveEntry, renameInside } from '#runner/files/facts.ts';
import { isNearlyFull } from '#runner/files/nearly-full.ts';
import { ownedName, sweepOwned } from '#runner/files/owned-name.ts';
import { runTool } from '../process/run-tool.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { copyImagebuilder } from '../tree/build-tree.ts';
import { bytesIn } from '../tree/watch-growth.ts';
import type { CachedImagebuilder } from './imagebuilder-cache.ts';

/**
 * Trees for builds to come, copied from the cache while an earlier build runs make. Each is for one ImageBuilder and one
 * slot, and becomes the tree of one build. No build has touched it, and nothing of a request or of a key is in it.
 */
export interface PreparedTrees {
  /** Moves the tree that was made for this ImageBuilder and slot to `tree`. Returns false if there is none. */
  take(cached: Cached, slot: number, tree: string): Promise<boolean>;
  /**
   * Starts to make a tree of the ImageBuilder in the cache, and keeps it if `room` returns that many bytes. Stop the
   * preparation while the ImageBuilder certainly stays in the cache.
   */
  prepare(cached: Cached, slot: number, room: () => Promise<number>): Preparation;
  /** Returns the disk space that the trees take. */
  bytes(): number;
  /** Removes all trees. */
  drop(): Promise<void>;
  /** Removes what an earlier process left. Call it once, before the others. */
  sweep(): Promise<void>;
}

/** An ImageBuilder in the cache. */
type Cached = Pick<CachedImagebuilder, 'sha256' | 'tree'>;

/** A tree that is being made. */
export interface Preparation {
  /** Resolves when the tree is kept or given up. */
  readonly done: Promise<void>;
  /** Gives the tree up unless it is complete, and resolves when nothing is written any more. */
  stop(): Promise<void>;
}

const PREPARED = 'prepared';
const DISCARDED = 'discarded';

interface Prepared {
  /** What the ImageBuilder in the cache was when the copy began. */
  readonly original: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Returns trees in `directory`, which only we may enter: a running build of the same slot has the uid that owns the next
 * tree, and must not reach it.
 */
export function preparedTrees(directory: string, sandbox: Sandbox, disposal: Pick<Disposal, 'remove'>): PreparedTrees {
  const ofSlot = new Map<number, Prepared>();

  const discard = async (slot: number): Promise<void> => {
    const old = ofSlot.get(slot);
    ofSlot.delete(slot);
    if (old !== undefined) await disposal.remove(old.path);
  };

  const make = async (cached: Cached, slot: number, room: () => Promise<number>, signal: AbortSignal): Promise<void> => {
    const original = await originalOf(cached);
    if (original === undefined || ofSlot.get(slot)?.original === original) return;
    await discard(slot);
    if (await isNearlyFull(directory)) return;
    const path = join(directory, ownedName(PREPARED));
    let isKept = false;
    try {
      // It belongs to us until it is complete. A build of this slot may run, with the same uid.
      await copyImagebuilder(cached.tree, path, sandbox, slot, undefined, signal);
      const uid = sandbox.uidOf(slot);
      if (uid !== undefined) await runTool('chown', ['-hR', `${uid}:${uid}`, '--', path], { cwd: '/', signal });
      const bytes = await bytesIn([path], signal);
      isKept = bytes <= (await room()) && !signal.aborted;
      if (isKept) ofSlot.set(slot, { original, path, bytes });
    } finally {
      if (!isKept) await disposal.remove(path);
    }
  };

  return {
    take: async (cached, slot, tree) => {
      const original = await originalOf(cached);
      const prepared = ofSlot.get(slot);
      if (prepared === undefined || prepared.original !== original) return false;
      ofSlot.delete(slot);
      try {
        await moveEntry(directory, basename(prepared.path), dirname(tree), basename(tree));
        return true;
      } catch (error) {
        // An operator may have emptied the cache.
        if (hasCode(error, 'ENOENT')) return false;
        throw error;
      }
    },
    prepare: (cached, slot, room) => {
      const stop = new AbortController();
      // A build whose tree was not made ahead makes its own, and meets the same trouble if it lasts.
      const done = make(cached, slot, room, stop.signal).catch(() => undefined);
      return {
        done,
        stop: () => {
          stop.abort();
          return done;
        },
      };
    },
    bytes: () => [...ofSlot.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    drop: async () => {
      for (const slot of [...ofSlot.keys()]) await discard(slot);
    },
    sweep: async () => {
      // A tree is hidden in one step: another process with our id may be about to take it, and must not get half of it.
      const hide = (path: string) => renameInside(directory, basename(path), ownedName(DISCARDED)).catch(unlessAbsent);
      await sweepOwned(directory, PREPARED, hide);
      await sweepOwned(directory, DISCARDED, disposal.remove);
    },
  };
}

/**
 * Returns the identity of an ImageBuilder in the cache. It is another one when the cache was emptied and filled again: an
 * operator may do that while a copy is made, which then lacks files.
 */
async function originalOf({ sha256, tree }: Cached): Promise<string | undefined> {
  const facts = await factsInside(dirname(tree), basename(tree));
  return facts && `${sha256} ${facts.dev} ${facts.ino} ${facts.ctimeMs}`;
}

function unlessAbsent(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
