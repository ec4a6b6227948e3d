import { afterAll, beforeAll, expect, it } from 'vitest';
import { downloadAll } from '#test/support/download.ts';
import { publishAgain, publishTargetAgain } from '#test/support/publish-again.ts';
import { type TestStack, testStack } from './test-stack.ts';

const PATH = 'releases/24.10.2';

let stack: TestStack;
beforeAll(async () => {
  stack = await testStack({ images: 'real' });
});
afterAll(() => stack.stop());

const built = async (request: object) => {
  const { status, body } = await stack.post('/api/v1/build', { version: '24.10.2', profile: 'test', ...request });
  expect([200, 202]).toContain(status);
  return stack.ended(body.request_hash);
};

it('feeds that are newer than a request: its image says so, and the next requests, by whatever client, are about the newer ones', async () => {
  const request = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };
  const accepted = await stack.post('/api/v1/build', request);
  expect(accepted.status).toBe(202);
  await publishAgain(stack.upstream, `${PATH}/packages/x86_64/packages`);
  await stack.startRunner();
  const first = await stack.ended(accepted.body.request_hash);
  expect(first.body['warnings']).toEqual([expect.objectContaining({ code: 'feeds_changed' })]);

  const others = await built({ ...request, packages: ['tmux'] });
  expect([others.status, others.body['warnings']]).toEqual([200, undefined]);
  const again = await built(request);
  expect([again.status, again.body['warnings']]).toEqual([200, undefined]);
  expect(again.body.request_hash).not.toBe(accepted.body.request_hash);
  await downloadAll(stack.url, again.body);
});

it('packages of a target that change under a build: other requests for the target do not have to fail first', async () => {
  await stack.get('/api/v1/revision/24.10.2/ath79/generic');
  await publishTargetAgain(stack.upstream, `${PATH}/targets/ath79/generic`);
  const failed = await built({ target: 'ath79/generic', packages: ['vim'] });
  expect([failed.status, failed.body.detail]).toEqual([500, expect.stringContaining('Ask again')]);
  const others = await built({ target: 'ath79/generic', packages: ['tmux'] });
  expect([others.status, others.body.detail]).toEqual([200, 'done']);
});
