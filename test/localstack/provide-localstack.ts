import type { TestProject } from 'vitest/node';
import { startLocalStack } from '#local-aws/localstack/start.ts';
import { LOCALSTACK_DIRECTORY, LOCALSTACK_URL } from './config.ts';

declare module 'vitest' {
  interface ProvidedContext {
    localStackUrl: string;
  }
}

// One LocalStack serves the whole lane and ends with it. vitest calls the named exports.
let stop: (() => Promise<void>) | undefined;

export async function setup(project: TestProject): Promise<void> {
  project.provide('localStackUrl', LOCALSTACK_URL ?? (await ownLocalStack()));
}

async function ownLocalStack(): Promise<string> {
  const localStack = await startLocalStack(LOCALSTACK_DIRECTORY);
  stop = localStack.stop;
  return localStack.url;
}

export const teardown = async (): Promise<void> => stop?.();
