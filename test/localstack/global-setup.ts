import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleFunctions } from '../../bundles/bundle-functions.ts';
import { bundleModule } from '../../bundles/bundle-module.ts';
import * as localStack from './provide-localstack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /**
     * The directory of the functions' bundles, as deployed, and of the runners `runner.mjs` and `scripted-runner.mjs`.
     */
    bundles: string;
  }
}

// vitest calls the named exports.
const closers = [localStack.teardown];

export async function setup(project: TestProject): Promise<void> {
  const bundles = await mkdtemp(join(tmpdir(), 'asu-localstack-'));
  closers.push(() => rm(bundles, { recursive: true, force: true }));
  await Promise.all([
    localStack.setup(project),
    bundleFunctions(bundles),
    bundleModule('runner/main.ts', join(bundles, 'runner.mjs')),
    bundleModule('test/support/scripted-runner.ts', join(bundles, 'scripted-runner.mjs')),
  ]);
  project.provide('bundles', bundles);
}

export async function teardown(): Promise<void> {
  for (const close of closers.reverse()) await close();
}
