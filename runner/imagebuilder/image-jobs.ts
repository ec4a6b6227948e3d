/** The processors and the memory that builds share. */
export interface JobResources {
  /** The processors of the machine, which need not be a whole number. */
  readonly processors: number;
  /** The memory of the machine. */
  readonly memoryBytes: number;
  /** The limit on the memory of one build. */
  readonly buildMemoryBytes: number;
}

/**
 * The memory that one image takes while it is made, with room to spare: compressing a root file system with xz, or a
 * kernel with lzma, takes up to a quarter of a gigabyte.
 */
const JOB_BYTES = 512 * 1024 ** 2;

/** More jobs than images help nothing: x86 has nine. */
const MAX_JOBS = 16;

/**
 * Returns how many images of one build are made at the same time while `builds` builds run: its share of the
 * processors, as far as its share of the memory allows it.
 */
export function imageJobs({ processors, memoryBytes, buildMemoryBytes }: JobResources, builds: number): number {
  const share = Math.max(1, builds);
  const byMemory = Math.min(memoryBytes / share, buildMemoryBytes) / JOB_BYTES;
  return Math.max(1, Math.min(Math.floor(processors / share), Math.floor(byMemory), MAX_JOBS));
}
