import { type CommandTraits, processesOf } from './command-processes.ts';
import { memoryOf } from './process-table.ts';

/** How often is looked. Between two looks a build may take more; the machine's own limit then has to hold. */
const EVERY_MS = 250;

/**
 * Calls `onExceeded` once when the command's processes have more than `bytes` of memory together: where no cgroup bounds them.
 * Answers how to stop watching.
 */
export function watchMemory(traits: CommandTraits, bytes: number, onExceeded: () => void): () => void {
  let isWatching = true;
  const look = async (): Promise<void> => {
    const found = (await processesOf(traits)).map(memoryOf);
    if (!isWatching) return;
    if (sum(found.map(({ atMost }) => atMost)) > bytes && sum(found.map(({ exactly }) => exactly())) > bytes) onExceeded();
    else timer = setTimeout(look, EVERY_MS);
  };
  let timer = setTimeout(look, EVERY_MS);
  return () => {
    isWatching = false;
    clearTimeout(timer);
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
