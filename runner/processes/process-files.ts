import { readdirSync, statfsSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * The space taken by files that processes hold open and that no longer have a name. A sum over directories misses them.
 */
export interface HeldFiles {
  /** Bytes on disks. */
  readonly diskBytes: number;
  /** Bytes in memory: memfd, and file systems in memory. */
  readonly memoryBytes: number;
}

/** Linux's number for tmpfs. memfd is on tmpfs, too. */
const TMPFS = 0x01021994;

const BLOCK_BYTES = 512;

/** The number of files after which other work gets a turn. */
const AT_ONCE = 200;

/**
 * The limit on open files. Builds have a few hundred; with more than this the sum takes longer than one interval of the
 * watch.
 */
const MAX_OPEN = 100_000;

/**
 * Returns the space taken by nameless files that the processes have open, and counts each file once. It misses files of
 * processes that we may not inspect (another uid, without CAP_SYS_PTRACE), and files held only by a mapping or by a
 * message between processes. It throws when there are more open files than any build has.
 */
export async function heldFiles(pids: readonly number[]): Promise<HeldFiles> {
  const seen = new Set<string>();
  let [diskBytes, memoryBytes, looked] = [0, 0, 0];
  for (const pid of pids)
    for (const fd of openFilesOf(pid)) {
      if (++looked > MAX_OPEN) throw new Error(`The processes have more than ${MAX_OPEN} files open`);
      if (looked % AT_ONCE === 0) await nextTurn();
      const file = namelessFile(`/proc/${pid}/fd/${fd}`);
      if (file === undefined || seen.has(file.id)) continue;
      seen.add(file.id);
      if (file.isInMemory) memoryBytes += file.bytes;
      else diskBytes += file.bytes;
    }
  return { diskBytes, memoryBytes };
}

function openFilesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

/** Reads the facts of the file behind a descriptor without opening it. */
function namelessFile(path: string): { id: string; bytes: number; isInMemory: boolean } | undefined {
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.nlink !== 0 || facts.blocks === 0) return undefined;
    return { id: `${facts.dev}:${facts.ino}`, bytes: facts.blocks * BLOCK_BYTES, isInMemory: statfsSync(path).type === TMPFS };
  } catch {
    return undefined;
  }
}
