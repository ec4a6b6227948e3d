import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { loadConfig } from '../config.ts';

it('half of the processors build, at least one (docs/decisions/0021)', () => {
  const { WORKER_CONCURRENT } = loadConfig({}, {});
  expect(WORKER_CONCURRENT).toBeGreaterThanOrEqual(1);
  expect(WORKER_CONCURRENT).toBeLessThanOrEqual(Math.max(1, availableParallelism() / 2));
  expect(WORKER_CONCURRENT).toBeGreaterThan(availableParallelism() / 2 - 1);
  expect(loadConfig({}, { WORKER_CONCURRENT: '4' }).WORKER_CONCURRENT).toBe(4);
});

it('the server looks at the queue every quarter of a second, or at the configured interval', () => {
  expect(loadConfig({}, {}).WORKER_POLL_SECONDS).toBe(0.25);
  expect(loadConfig({}, { ASU_WORKER_POLL_SECONDS: '5' }).WORKER_POLL_SECONDS).toBe(5);
});
