import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import { defaultWorkers, usableMemory } from './default-workers.ts';

it.each([
  [1, 4, 1],
  [2, 4, 2],
  [8, 16, 8],
  [8, 4, 4],
  [4, 0.5, 1],
  [128, 512, 64],
])('on %d processors with %d GiB %d builds run at once by default (docs/decisions/0069)', (processors, gib, workers) => {
  expect(defaultWorkers(processors, gib * 1024 ** 3)).toBe(workers);
});

it('the machine decides how many builds run at once, unless the operator does', () => {
  expect(loadConfig({}, {}).WORKER_CONCURRENT).toBe(defaultWorkers(availableParallelism(), usableMemory()));
  expect(loadConfig({}, { WORKER_CONCURRENT: '4' }).WORKER_CONCURRENT).toBe(4);
  expect(loadConfig({}, { WORKER_CONCURRENT: '1' }).WORKER_CONCURRENT).toBe(1);
});

it('the server looks at the queue every quarter of a second, or at the configured interval', () => {
  expect(loadConfig({}, {}).WORKER_POLL_SECONDS).toBe(0.25);
  expect(loadConfig({}, { ASU_WORKER_POLL_SECONDS: '5' }).WORKER_POLL_SECONDS).toBe(5);
});
