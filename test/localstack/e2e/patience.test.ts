import { setTimeout as pause } from 'node:timers/promises';
import { describe, inject, it } from 'vitest';
import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { type AwsProxy, awsProxy, BROKEN } from '#test/support/aws-proxy.ts';
import { awsState } from './aws-state.ts';
import { type TestStack, type TestStackOptions, testStack } from './test-stack.ts';

/** The time limit of these tests. They wait for caches, retries and the sweeper, and therefore run at the same time. */
const PATIENCE_MS = 300_000;

async function withStack(options: TestStackOptions, use: (stack: TestStack, state: ReturnType<typeof awsState>) => Promise<void>) {
  const stack = await testStack(options);
  try {
    await use(stack, awsState(stack.resources));
  } finally {
    await stack.stop();
  }
}

/** Runs maintenance repeatedly, as its schedule would, until the promise has settled. */
async function maintaining<T>(stack: TestStack, until: Promise<T>): Promise<T> {
  let isOver = false;
  const over = until.finally(() => {
    isOver = true;
  });
  const maintenance = (async () => {
    // A run with no waiting build ends at once.
    while (!isOver) {
      await stack.maintain();
      await pause(500);
    }
  })();
  await Promise.all([over, maintenance]);
  return over;
}

describe.concurrent('in the course of time', () => {
  it('a build that always fails is tried three times, then failed with its reason, and its message is buried', {
    timeout: PATIENCE_MS,
  }, async ({ expect }) => {
    await withStack({ images: 'real', env: { JOB_TIMEOUT: '2', SWEEP_EVERY: '1', REBUILD_PAUSE: '3' } }, async (stack, state) => {
      await stack.startRunner();
      const body = { version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['slow-30'] };
      const accepted = await stack.post('/api/v1/build', body);
      const failed = await stack.ended(accepted.body.request_hash);
      expect(failed.status).toBe(500);
      expect(failed.body.detail).toMatch(/^Error: .*(time|seconds)/i);
      const { reason, body: message } = await state.deadLetter();
      expect(reason).toBe(failed.body.detail);
      expect(message).toMatchObject({ hash: accepted.body.request_hash });
      expect(await state.build(accepted.body.request_hash)).toMatchObject({ state: 'failed', attempt: 3, cached: false });
      await expect.poll(() => state.messages()).toBe(0);
      // The request did not cause the failure, so the same request starts another build some seconds later.
      await expect.poll(async () => (await stack.post('/api/v1/build', body)).status, { timeout: 30_000, interval: 500 }).toBe(202);
    });
  });

  it('a message that could not be sent is sent by the sweeper', { timeout: PATIENCE_MS }, async ({ expect }) => {
    const proxy: AwsProxy = await awsProxy(inject('localStackUrl'));
    proxy.fail(({ operation }) => (operation === 'SendMessage' ? BROKEN : undefined));
    await withStack({ images: 'scripted', endpoints: { 'build-submit': proxy.url }, env: { SWEEP_EVERY: '2' } }, async (stack, state) => {
      const accepted = await stack.post('/api/v1/build', { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] });
      const { request_hash: hash } = accepted.body;
      expect(accepted.status).toBe(202);
      expect(await state.build(hash)).toMatchObject({ state: 'queued' });
      expect(await state.build(hash)).not.toHaveProperty('sentAt');
      expect(await state.messages()).toBe(0);
      expect(stack.functions['build-submit'].lines.join('\n')).toContain('"message could not be sent"');
      await stack.startRunner();
      const { status } = await maintaining(stack, stack.ended(hash));
      expect(status).toBe(200);
    });
    await proxy.close();
  });

  it('a build expires: first its document, then its objects, then its row, and never a 200 without objects', {
    timeout: PATIENCE_MS,
  }, async ({ expect }) => {
    // On a busy machine five seconds may pass between two polls, and the result must still be there at the second one.
    const env = { BUILD_TTL: '20', BUILD_TTL_UNVERSIONED: '20', SWEEP_EVERY: '1' };
    await withStack({ images: 'scripted', env }, async (stack, { build, artifacts }) => {
      await stack.startRunner();
      const request = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };
      const { request_hash: hash } = (await stack.post('/api/v1/build', request)).body;
      const { body } = await stack.ended(hash);
      const objects = body.files.map(({ name }) => `store/${body.bin_dir}/${name}`);
      expect(objects.length).toBeGreaterThan(0);

      // The test checks each one before those that may disappear only after it.
      const order: string[] = [];
      const note = (what: string) => order.includes(what) || order.push(what);
      const watch = async () => {
        for (;;) {
          const row = await build(hash);
          const answer = await fetch(`${stack.url}/api/v1/build/${hash}`);
          await answer.body?.cancel();
          const document = await artifacts.stat(artifactKeys.result(hash as RequestHash));
          const there = await Promise.all(objects.map(async (key) => (await artifacts.stat(key)) !== undefined));
          if (answer.status === 200 || document !== undefined) expect(there).toEqual(objects.map(() => true));
          else note('document');
          if (there.every((isThere) => !isThere)) note('objects');
          else expect(row).toBeDefined();
          if (row === undefined) return note('row');
          await pause(200);
        }
      };
      await maintaining(stack, watch());
      expect(order).toEqual(['document', 'objects', 'row']);
      expect((await stack.get(`/api/v1/build/${hash}`)).status).toBe(404);
      for (const key of objects) expect((await fetch(`${stack.url}/${key}`)).status).toBe(404);
      expect(await artifacts.stat(artifactKeys.success(body.bin_dir as never))).toBeUndefined();
    });
  });
});
