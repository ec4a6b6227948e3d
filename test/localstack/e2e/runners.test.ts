import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadAll } from '#test/support/download.ts';
import type { StartedProcess } from '../../../local-aws/started-process.ts';
import { awsState } from './aws-state.ts';
import { type TestStack, testStack } from './test-stack.ts';

/** A request for a build with a slow last step, so that the test has time to end the runner. */
const slow = (also: string) => ({ version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['slow-install', also] });

let stack: TestStack;
let state: ReturnType<typeof awsState>;
beforeAll(async () => {
  stack = await testStack({ images: 'real', env: { LEASE: '3', SWEEP_EVERY: '1' } });
  state = awsState(stack.resources);
});
afterAll(() => stack.stop());

describe('a runner', () => {
  it('that is killed loses its lease, and another one finishes the build', async () => {
    const first = await stack.startRunner();
    const accepted = await stack.post('/api/v1/build', slow('vim'));
    await first.line('"build step entered"', '"building_image"');
    const lost = await state.build(accepted.body.request_hash);
    expect(lost).toMatchObject({ state: 'building', attempt: 1 });
    await first.kill();

    const second = await stack.startRunner();
    await started(second);
    const { status, body } = await stack.ended(accepted.body.request_hash);
    expect(status).toBe(200);
    await downloadAll(stack.url, body);
    expect(await state.build(accepted.body.request_hash)).toMatchObject({ state: 'done', attempt: 2 });
    expect(body.bin_dir).not.toBe(lost?.state === 'building' && lost.binDir);
    await second.kill();
  });

  it('that gets SIGTERM hands its build back at once, and the attempt does not count', async () => {
    const first = await stack.startRunner();
    const accepted = await stack.post('/api/v1/build', slow('nano'));
    await first.line('"build step entered"', '"building_image"');
    expect(await first.stop()).toBe(0);
    expect(first.lines.join('\n')).toContain('"build handed back"');
    expect(await state.build(accepted.body.request_hash)).toMatchObject({ state: 'queued', attempt: 0 });

    // The released message usually brings the next runner. On a busy machine the first runner may have received it a
    // second time and acknowledged it, because the build was being built: then the sweeper sends a new one (decision 45).
    const second = await stack.startRunner();
    await started(second);
    const { status, body } = await stack.ended(accepted.body.request_hash);
    expect(status).toBe(200);
    await downloadAll(stack.url, body);
    expect(await state.build(accepted.body.request_hash)).toMatchObject({ state: 'done', attempt: 1 });
    await second.kill();
  });

  /** Settles when the runner has started a build, and sweeps until then, as maintenance does. */
  async function started(runner: StartedProcess) {
    while (!runner.lines.some((line) => line.includes('"build started"'))) {
      await stack.maintain();
      await pause(200);
    }
  }
});
