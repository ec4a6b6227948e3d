import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The test files that run at once in a lane that mostly waits: more than vitest's default, which leaves one core out. */
const WAITING_WORKERS = Math.max(2, availableParallelism());

/** Room for new objects, so that V8 collects less often: an eighth of the CPU time of a test process. */
const ROOM = ['--min-semi-space-size=32', '--max-semi-space-size=64'];

/**
 * The tests of folders whose modules keep nothing from one test file to the next. The OpenAPI document is not among them,
 * since zod has one registry of schemas per process.
 */
const STATELESS = ['{lib,core,settings,observe,functions}/**/*.test.ts', 'http/*.test.ts'];

/** The test files of the lane `default` that run at once. They wait half of their time for processes that they started. */
const DEFAULT_WORKERS = Math.max(2, availableParallelism() - 1);

/** Settings of every project. A poll waits long for its value, because the machine may be busy. */
const EVERY_PROJECT = { expect: { poll: { timeout: 30_000 } } };

/**
 * One project per test lane (CONTRIBUTING.md), and two for the lane `default`. vitest retries no test, so that flaky tests
 * are noticed and repaired.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...EVERY_PROJECT,
          name: 'default',
          include: [
            '{adapters,runner,standalone,services,demo}/**/*.test.ts',
            'http/*/**/*.test.ts',
            'test/{bundles,chaos,compat,journeys,support,tooling}/**/*.test.ts',
            'test/upgrade/standalone/**/*.test.ts',
            'infra/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          execArgv: ROOM,
          maxWorkers: DEFAULT_WORKERS,
        },
      },
      {
        test: {
          ...EVERY_PROJECT,
          // The second part of the lane `default`. A process and its modules serve many files, which takes half the CPU time.
          name: 'default-stateless',
          include: STATELESS,
          setupFiles: 'test/support/remove-directories.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          isolate: false,
          maxWorkers: DEFAULT_WORKERS,
        },
      },
      {
        test: {
          ...EVERY_PROJECT,
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
          ...EVERY_PROJECT,
          name: 'simulate',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          ...EVERY_PROJECT,
          name: 'localstack',
          include: ['test/localstack/**/*.test.ts', 'test/upgrade/aws/**/*.test.ts'],
          globalSetup: 'test/localstack/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
          execArgv: ROOM,
          // These tests wait for LocalStack, leases and the sweeper. Each file has resources of its own.
          maxWorkers: WAITING_WORKERS,
        },
      },
      {
        test: {
          ...EVERY_PROJECT,
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
          ...EVERY_PROJECT,
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
          ...EVERY_PROJECT,
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
          ...EVERY_PROJECT,
          name: 'openapi',
          include: ['test/openapi/**/*.test.ts'],
          globalSetup: 'test/openapi/global-setup.ts',
          testTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          ...EVERY_PROJECT,
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
