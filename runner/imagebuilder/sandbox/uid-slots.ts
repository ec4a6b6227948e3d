import { createServer } from 'node:net';
import { hasProcesses } from '#runner/processes/process-table.ts';
import type { Slots } from '../slots.ts';

/** Builds of all servers on a machine together; below 60000, where other programs begin to hand out uids. */
const UIDS = 800;

/** What this process has claimed, until it ends. */
const claimed = new Set<number>();
/** What its builds have now. */
const taken = new Set<number>();

/**
 * Slots of which slot n stands for uid `firstUid + n`. A uid is given to one build of the whole machine at a time: the process
 * claims it first and holds the claim while it lives, and takes none that any process still has.
 */
export function uidSlots(firstUid: number): Slots {
  return {
    take: async () => {
      for (let slot = 0; slot < UIDS; slot++) {
        const uid = firstUid + slot;
        if (taken.has(uid)) continue;
        // At once, so that no other call takes it while this one asks.
        taken.add(uid);
        if (await isOurs(uid)) return slot;
        taken.delete(uid);
      }
      throw new Error(`No uid from ${firstUid} to ${firstUid + UIDS - 1} is free on this machine: other servers' builds have them all`);
    },
    give: (slot) => taken.delete(firstUid + slot),
  };
}

async function isOurs(uid: number): Promise<boolean> {
  try {
    return (await claim(uid)) && !(await hasProcesses(uid));
  } catch (error) {
    taken.delete(uid);
    throw error;
  }
}

/**
 * Claims by an abstract socket of this name: the kernel gives a name once, needs no file for it, and takes it back when the
 * process ends, however it ends. Servers that do not share a network namespace do not see each other's processes either,
 * except in containers that share the one but not the other.
 */
async function claim(uid: number): Promise<boolean> {
  if (claimed.has(uid)) return true;
  const server = createServer((connection) => connection.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(new Error(`uid ${uid} cannot be claimed for builds: ${error.message}`, { cause: error }));
    });
    server.listen({ path: `\0asu-build-uid-${uid}`, exclusive: true }, () => {
      claimed.add(uid);
      resolve(true);
    });
  });
}
