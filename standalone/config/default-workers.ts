import { totalmem } from 'node:os';

/** The memory that one build takes in all, with room to spare: a large root file system, and what its tools hold. */
const BUILD_BYTES = 1024 ** 3;

/** The highest value of `WORKER_CONCURRENT`. */
const MAX_WORKERS = 64;

/**
 * Returns how many builds run at once unless the operator says it (decision 69): one for each processor, as far as the
 * memory allows it. The kernel leaves a little less than whole gigabytes.
 */
export const defaultWorkers = (processors: number, memoryBytes: number): number =>
  Math.max(1, Math.min(processors, Math.round(memoryBytes / BUILD_BYTES), MAX_WORKERS));

/** Returns the memory of the machine, or of the container if that has less. */
export const usableMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
