import { hasProcesses } from '#runner/processes/process-table.ts';
import type { Slots } from '../slots.ts';
import { type UidLocks, uidLocks } from './uid-locks.ts';

/**
 * The number of uids for the builds of all servers on a machine together. They are below 60000, where other programs
 * begin to allocate uids.
 */
const UIDS = 800;

/** The uids that this process has claimed, until it ends. */
const claimed = new Set<number>();

/** The uids of the builds that run now. */
const taken = new Set<number>();

/**
 * Returns slots where slot n stands for uid `firstUid + n`. Only one build on the whole machine has a uid at a time:
 * the process claims it first, holds the claim while it lives, and skips uids that any process still has. The locks of
 * the claims are in `/run`, or else in the first usable directory of `places`.
 */
export function uidSlots(firstUid: number, places: readonly string[]): Slots {
  let locks: Promise<UidLocks> | undefined;

  const isOurs = async (uid: number): Promise<boolean> => {
    locks ??= uidLocks(places);
    if (!(await locks).claim(uid)) return false;
    claimed.add(uid);
    return !(await hasProcesses(uid));
  };
  /** Returns the slot if its uid is available. */
  const take = async (slot: number): Promise<boolean> => {
    const uid = firstUid + slot;
    if (taken.has(uid)) return false;
    // This is set before the first await, so that no other call takes the slot meanwhile.
    taken.add(uid);
    const isFree = await isOurs(uid).catch((error: unknown) => {
      taken.delete(uid);
      throw error;
    });
    if (!isFree) taken.delete(uid);
    return isFree;
  };

  return {
    take: async () => {
      const slots = Array.from({ length: UIDS }, (_, slot) => slot);
      const isClaimed = (slot: number) => claimed.has(firstUid + slot);
      // Claimed slots come first, because asking for a slot that another server has takes a moment.
      for (const slot of slots.filter(isClaimed)) if (await take(slot)) return slot;
      for (const slot of slots) if (!isClaimed(slot) && (await take(slot))) return slot;
      throw new Error(`No uid from ${firstUid} to ${firstUid + UIDS - 1} is free on this machine: other servers' builds have them all`);
    },
    give: (slot) => taken.delete(firstUid + slot),
  };
}
