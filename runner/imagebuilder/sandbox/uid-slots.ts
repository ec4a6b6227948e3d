import { hasProcesses } from '#runner/processes/process-table.ts';
import type { Slots } from '../slots.ts';
import { type UidLocks, uidLocks } from './uid-locks.ts';

/** Builds of all servers on a machine together; below 60000, where other programs begin to hand out uids. */
const UIDS = 800;

/** What this process has claimed, until it ends. */
const claimed = new Set<number>();
/** What its builds have now. */
const taken = new Set<number>();

/**
 * Slots of which slot n stands for uid `firstUid + n`. A uid is given to one build of the whole machine at a time: the process
 * claims it first and holds the claim while it lives, and takes none that any process still has. `places`: where the locks of the
 * claims may lie besides `/run`.
 */
export function uidSlots(firstUid: number, places: readonly string[]): Slots {
  let locks: Promise<UidLocks> | undefined;

  const isOurs = async (uid: number): Promise<boolean> => {
    locks ??= uidLocks(places);
    if (!(await locks).claim(uid)) return false;
    claimed.add(uid);
    return !(await hasProcesses(uid));
  };
  /** The slot, if its uid can be had. */
  const take = async (slot: number): Promise<boolean> => {
    const uid = firstUid + slot;
    if (taken.has(uid)) return false;
    // At once, so that no other call takes it while this one asks.
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
      // Asking for one that another server has takes a moment.
      for (const slot of slots.filter(isClaimed)) if (await take(slot)) return slot;
      for (const slot of slots) if (!isClaimed(slot) && (await take(slot))) return slot;
      throw new Error(`No uid from ${firstUid} to ${firstUid + UIDS - 1} is free on this machine: other servers' builds have them all`);
    },
    give: (slot) => taken.delete(firstUid + slot),
  };
}
