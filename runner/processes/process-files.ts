import { readdirSync, statfsSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What the files take that processes hold open and that have no name any more: a sum over directories misses them. */
export interface HeldFiles {
  /** On disks. */
  readonly diskBytes: number;
  /** In memory: memfd, and file systems that lie there. */
  readonly memoryBytes: number;
}

/** Linux's number for tmpfs, of which memfd is made too. */
const TMPFS = 0x01021994;

const BLOCK_BYTES = 512;

/** After so many files other work gets its turn. */
const AT_ONCE = 200;

/** Builds have some hundred open. With more than this the sum would take longer than the watch has. */
const MAX_OPEN = 100_000;

/**
 * Sums up the nameless files that the processes have open, each file once. Those of processes that we may not look into (another uid, and
 * no CAP_SYS_PTRACE) are missing; so are files that only a mapping or a message between processes holds. Throws for more open files
 * than any build has.
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

/** Looks at what a descriptor leads to, opens nothing. */
function namelessFile(path: string): { id: string; bytes: number; isInMemory: boolean } | undefined {
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.nlink !== 0 || facts.blocks === 0) return undefined;
    return { id: `${facts.dev}:${facts.ino}`, bytes: facts.blocks * BLOCK_BYTES, isInMemory: statfsSync(path).type === TMPFS };
  } catch {
    return undefined;
  }
}
