import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inject } from 'vitest';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import type { Finished } from '#test/support/download.ts';
import { type Stack, type StackOptions, startStack } from '../../../local-aws/stack.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Finished & Readonly<Record<string, unknown>> & { readonly request_hash: string; readonly detail: string };
}

export interface TestStack extends Stack {
  readonly upstream: DemoUpstreamServer;
  post(path: string, body: unknown): Promise<Answer>;
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** Polls until the build has ended, and returns the last answer. */
  ended(hash: string): Promise<Answer>;
}

export interface TestStackOptions extends Partial<StackOptions> {
  /** The maker of the images: the runner itself, with the demo's ImageBuilders, or a script. */
  readonly images: 'real' | 'scripted';
}

/** Starts the whole system, over its own demo upstream and its own resources. */
export async function testStack({ images, ...options }: TestStackOptions): Promise<TestStack> {
  const upstream = await serveDemoUpstream();
  const bundles = inject('bundles');
  const stack = await startStack({
    localStackUrl: inject('localStackUrl'),
    upstreamUrl: upstream.url,
    functionsDirectory: bundles,
    runnerMain: join(bundles, images === 'real' ? 'runner.mjs' : 'scripted-runner.mjs'),
    ...options,
    env: { LOG_LEVEL: 'debug', TRUSTED_KEYS: demoUpstreamKey.base64, ...options.env },
  });
  const get = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(stack.url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  };
  return {
    ...stack,
    upstream,
    get,
    post: (path, body) =>
      get(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    ended: async (hash) => {
      for (;;) {
        const answer = await get(`/api/v1/build/${hash}`);
        if (answer.status !== 202) return answer;
        await pause(100);
      }
    },
    stop: async () => {
      await stack.stop();
      await upstream.close();
    },
  };
}
