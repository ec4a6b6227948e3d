import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { bundleFunctions } from '../../bundles/bundle-functions.ts';
import { bundleModule } from '../../bundles/bundle-module.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from './config.ts';

declare module 'vitest' {
  interface ProvidedContext {
    localStackUrl: string;
    /**
     * The directory of the functions' bundles, as deployed, and of the runners `runner.mjs` and `scripted-runner.mjs`.
     */
    bundles: string;
  }
}

// One LocalStack serves the whole lane and ends with it. vitest calls the named exports.
const closers: (() => Promise<void>)[] = [];

export async function setup(project: TestProject): Promise<void> {
  const bundles = await mkdtemp(join(tmpdir(), 'asu-localstack-'));
  closers.push(() => rm(bundles, { recursive: true, force: true }));
  const bundling = Promise.all([
    bundleFunctions(bundles),
    bundleModule('runner/main.ts', join(bundles, 'runner.mjs')),
    bundleModule('test/support/scripted-runner.ts', join(bundles, 'scripted-runner.mjs')),
  ]);
  project.provide('localStackUrl', LOCALSTACK_URL ?? (await ownLocalStack()));
  await bundling;
  project.provide('bundles', bundles);
}

async function ownLocalStack(): Promise<string> {
  const localStack = await startLocalStack(LOCALSTACK_DIRECTORY);
  closers.push(localStack.stop);
  return localStack.url;
}

export async function teardown(): Promise<void> {
  for (const close of closers.reverse()) await close();
}
