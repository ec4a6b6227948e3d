import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The test files that run at once in a lane that mostly waits: more than vitest's default, which leaves one core out. */
const WAITING_WORKERS = Math.max(2, availableParallelism());

/**
 * One project per test lane (CONTRIBUTING.md). vitest retries no test, so that flaky tests are noticed and repaired.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'default',
          include: [
            '{lib,core,settings,observe,adapters,http,functions,runner,standalone,services,demo}/**/*.test.ts',
            'test/{bundles,chaos,compat,journeys,support,tooling}/**/*.test.ts',
            'test/upgrade/standalone/**/*.test.ts',
            'infra/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          // These tests spend half of their time waiting for processes that they started.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          pool: 'forks',
          // These tests wait for servers that start, and for time to pass.
          maxWorkers: WAITING_WORKERS,
        },
      },
      {
        test: {
          name: 'simulate',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'localstack',
          include: ['test/localstack/**/*.test.ts', 'test/upgrade/aws/**/*.test.ts'],
          globalSetup: 'test/localstack/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
          // These tests wait for LocalStack, leases and the sweeper. Each file has resources of its own.
          maxWorkers: WAITING_WORKERS,
        },
      },
      {
        test: {
          name: 'services',
          include: ['test/services/**/*.test.ts'],
          globalSetup: 'test/localstack/provide-localstack.ts',
          testTimeout: 180_000,
          hookTimeout: 240_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'lambda',
          include: ['test/lambda/*.test.ts'],
          globalSetup: 'test/lambda/global-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'image',
          include: ['test/image/**/*.test.ts'],
          globalSetup: 'test/image/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'openapi',
          include: ['test/openapi/**/*.test.ts'],
          globalSetup: 'test/openapi/global-setup.ts',
          testTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: 'test/infra/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 300_000,
          pool: 'forks',
        },
      },
    ],
  },
});
