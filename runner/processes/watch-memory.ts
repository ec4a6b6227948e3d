import { type CommandTraits, processesOf } from './command-processes.ts';
import { lookRepeatedly } from './look-repeatedly.ts';
import { heldFiles } from './process-files.ts';
import { memoryOf } from './process-table.ts';

/** The interval of the checks. A build may take more between two checks; the machine's own limit must hold then. */
const EVERY_MS = 250;

/**
 * Calls `onExceeded` once when the command's processes, with the nameless files in memory that they have open, take
 * more than `bytes` together. It is used where no cgroup bounds them. Too many open files count as too much memory. It
 * returns a function that stops the watch.
 */
export function watchMemory(traits: CommandTraits, bytes: number, onExceeded: () => void): () => void {
  const isExceeded = async (): Promise<boolean> => {
    const pids = await processesOf(traits);
    const held = await heldFiles(pids).then(
      ({ memoryBytes }) => memoryBytes,
      () => Number.POSITIVE_INFINITY,
    );
    const found = pids.map(memoryOf);
    return sum(found.map(({ atMost }) => atMost)) + held > bytes && sum(found.map(({ exactly }) => exactly())) + held > bytes;
  };
  return lookRepeatedly(EVERY_MS, isExceeded, onExceeded);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
