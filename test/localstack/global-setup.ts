import type { TestProject } from 'vitest/node';
import { startLocalStack } from '../../localstack/start.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from './config.ts';

declare module 'vitest' {
  interface ProvidedContext {
    localStackUrl: string;
  }
}

/** One LocalStack for the whole lane, ended with it. Named exports are what vitest calls. */
let stop: (() => Promise<void>) | undefined;

export async function setup(project: TestProject): Promise<void> {
  if (LOCALSTACK_URL) return project.provide('localStackUrl', LOCALSTACK_URL);
  const localStack = await startLocalStack(LOCALSTACK_DIRECTORY);
  stop = localStack.stop;
  project.provide('localStackUrl', localStack.url);
}

export async function teardown(): Promise<void> {
  await stop?.();
}
