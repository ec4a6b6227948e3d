import { expect, it } from 'vitest';
import { imageJobs } from './image-jobs.ts';

const GIB = 1024 ** 3;
const machine = (processors: number, gib: number, buildGib = 4) => ({
  processors,
  memoryBytes: gib * GIB,
  buildMemoryBytes: buildGib * GIB,
});

it.each([
  [2, 4, 1, 2],
  [2, 4, 2, 1],
  [2, 4, 5, 1],
  [8, 16, 1, 8],
  [8, 16, 3, 2],
  [1.5, 4, 1, 1],
  [0.5, 4, 1, 1],
  [64, 64, 1, 8],
  [64, 64, 0, 8],
])('on %d processors and %d GiB, each of %d builds has %d jobs', (processors, gib, builds, jobs) => {
  expect(imageJobs(machine(processors, gib), builds)).toBe(jobs);
});

it('has no more jobs than the memory of the machine and of the build allows', () => {
  expect(imageJobs(machine(8, 1), 1)).toBe(2);
  expect(imageJobs(machine(8, 1), 2)).toBe(1);
  expect(imageJobs(machine(8, 0.25), 1)).toBe(1);
  expect(imageJobs(machine(8, 64, 1), 1)).toBe(2);
  expect(imageJobs(machine(64, 256, 64), 1)).toBe(16);
});
