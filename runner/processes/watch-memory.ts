import { type CommandTraits, processesOf } from './command-processes.ts';
import { heldFiles } from './process-files.ts';
import { memoryOf } from './process-table.ts';

/** How often is looked. Between two looks a build may take more; the machine's own limit then has to hold. */
const EVERY_MS = 250;

/**
 * Calls `onExceeded` once when the command's processes, and the nameless files in memory that they have open, take more than `bytes`
 * together: where no cgroup bounds them. More open files than can be looked at count as too much. Answers how to stop watching.
 */
export function watchMemory(traits: CommandTraits, bytes: number, onExceeded: () => void): () => void {
  let isWatching = true;
  const isExceeded = async (): Promise<boolean> => {
    const pids = await processesOf(traits);
    const held = await heldFiles(pids).then(
      ({ memoryBytes }) => memoryBytes,
      () => Number.POSITIVE_INFINITY,
    );
    const found = pids.map(memoryOf);
    return sum(found.map(({ atMost }) => atMost)) + held > bytes && sum(found.map(({ exactly }) => exactly())) + held > bytes;
  };
  const look = async (): Promise<void> => {
    // What cannot be looked at now (this process has too many files open) is looked at again.
    const exceeded = await isExceeded().catch(() => false);
    if (!isWatching) return;
    if (exceeded) onExceeded();
    else timer = setTimeout(look, EVERY_MS);
  };
  let timer = setTimeout(look, EVERY_MS);
  return () => {
    isWatching = false;
    clearTimeout(timer);
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
