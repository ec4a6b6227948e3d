import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests with processes, sockets and clocks of their own: on a machine that others use too, one miss is not yet a failure. */
const retry = process.env['CI'] === undefined ? 0 : 1;

/** One project per test lane (CONTRIBUTING.md): a lane that did not run says so by not being run. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'default',
          include: [
            '{lib,core,settings,observe,adapters,http,functions,runner,standalone,services,demo}/**/*.test.ts',
            'test/{bundles,compat,journeys,support,tooling}/**/*.test.ts',
            'test/upgrade/standalone/**/*.test.ts',
            'infra/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          retry,
          // Half of what these tests do is waiting for processes of their own.
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
          retry,
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
          retry,
        },
      },
      {
        test: {
          name: 'services',
          include: ['test/services/**/*.test.ts'],
          globalSetup: 'test/localstack/global-setup.ts',
          testTimeout: 180_000,
          hookTimeout: 240_000,
          pool: 'forks',
          retry,
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
          retry,
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
          retry,
        },
      },
      {
        test: {
          name: 'openapi',
          include: ['test/openapi/**/*.test.ts'],
          globalSetup: 'test/openapi/global-setup.ts',
          testTimeout: 60_000,
          pool: 'forks',
          retry,
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
          retry,
        },
      },
    ],
  },
});
