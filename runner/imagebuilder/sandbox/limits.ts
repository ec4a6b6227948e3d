import { readFile } from 'node:fs/promises';
import type { ResourceLimits } from './sandbox.ts';

const NAMES = {
  cpuSeconds: 'Max cpu time',
  fileBytes: 'Max file size',
  processes: 'Max processes',
  openFiles: 'Max open files',
  memoryBytes: 'Max data size',
} as const satisfies Partial<Record<keyof ResourceLimits, string>>;

/** Returns `limits`, none of them above the process's own hard limits: prlimit may lower but not raise them. */
export async function withinHardLimits(limits: ResourceLimits): Promise<ResourceLimits> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = (name: string): number => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(name));
    const value = Number(line?.slice(name.length).trim().split(' ').filter(Boolean)[1]);
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
  };
  return {
    ...limits,
    cpuSeconds: Math.min(limits.cpuSeconds, hard(NAMES.cpuSeconds)),
    fileBytes: Math.min(limits.fileBytes, hard(NAMES.fileBytes)),
    processes: Math.min(limits.processes, hard(NAMES.processes)),
    openFiles: Math.min(limits.openFiles, hard(NAMES.openFiles)),
    memoryBytes: Math.min(limits.memoryBytes, hard(NAMES.memoryBytes)),
  };
}

/**
 * The number of open files that a program may have by default. Some programs close every descriptor below their limit
 * when they start.
 */
const USUAL_OPEN_FILES = 1024;

/**
 * Returns the `prlimit` arguments that go before the command. Core dumps are off because they would contain the key.
 */
export const prlimitArgv = (prlimit: string, limits: ResourceLimits): string[] => [
  prlimit,
  '--core=0',
  `--cpu=${limits.cpuSeconds}`,
  `--fsize=${limits.fileBytes}`,
  `--nproc=${limits.processes}`,
  `--nofile=${Math.min(limits.openFiles, USUAL_OPEN_FILES)}:${limits.openFiles}`,
  `--data=${limits.memoryBytes}`,
  '--',
];
