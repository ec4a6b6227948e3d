import { statSync } from 'node:fs';

/** The descriptors of standard output and of standard error. */
const STREAMS = [1, 2];

const BLOCK_BYTES = 512;

/**
 * Returns how much the processes have printed into files without a name: make collects there what each of several jobs
 * prints, and passes it on when the job is over. It misses processes that we may not inspect, as `heldFiles` does.
 */
export function withheldOutput(pids: readonly number[]): number {
  const files = new Map<string, number>();
  for (const pid of pids)
    for (const stream of STREAMS) {
      const file = namelessFile(`/proc/${pid}/fd/${stream}`);
      if (file !== undefined) files.set(file.id, file.bytes);
    }
  return [...files.values()].reduce((total, bytes) => total + bytes, 0);
}

/** Reads the facts of the file behind a descriptor without opening it. */
function namelessFile(path: string): { id: string; bytes: number } | undefined {
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.nlink !== 0) return undefined;
    return { id: `${facts.dev}:${facts.ino}`, bytes: Math.min(facts.size, facts.blocks * BLOCK_BYTES) };
  } catch {
    return undefined;
  }
}
