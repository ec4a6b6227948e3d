import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type AwsCall, type AwsProxy, awsProxy, type Costs } from '#test/support/aws-proxy.ts';
import type { StartedProcess } from '../../../local-aws/started-process.ts';
import { type TestStack, testStack } from './test-stack.ts';

/** A request as owut sends it: every installed package with its version; here, all packages of the demo's feeds that can be installed together. */
let versions: Record<string, string>;
const request = (rootfs_size_mb: number) => ({
  version: '24.10.2',
  target: 'x86/64',
  profile: 'generic',
  packages: Object.keys(versions),
  packages_versions: versions,
  rootfs_size_mb,
  client: 'owut/2026.04.01',
});
const FEEDS = ['base', 'packages', 'luci', 'routing', 'telephony'];

let proxies: { submit: AwsProxy; status: AwsProxy; runner: AwsProxy };
let stack: TestStack;
let runner: StartedProcess;
beforeAll(async () => {
  const [submit, status, runs] = await Promise.all([1, 2, 3].map(() => awsProxy(inject('localStackUrl'))));
  if (submit === undefined || status === undefined || runs === undefined) throw new Error('no proxy');
  proxies = { submit, status, runner: runs };
  stack = await testStack({
    images: 'scripted',
    endpoints: { 'build-submit': submit.url, status: status.url },
    maxProcesses: 1,
  });
  runner = await stack.startRunner({ endpoint: runs.url });
  const indexes = FEEDS.map(async (feed) => {
    const response = await fetch(`${stack.upstream.url}/releases/24.10.2/packages/x86_64/${feed}/index.json`);
    return ((await response.json()) as { packages: Record<string, string> }).packages;
  });
  versions = Object.assign({}, ...(await Promise.all(indexes)));
  // No device has two packages that exclude each other, or one whose dependency does not exist.
  for (const name of ['foe-b', 'needs-missing', 'needs-needs-missing']) delete versions[name];
  // This first build lets each process do its one-time work: the checks at the start and the day's first statistics.
  const { status: accepted, body } = await stack.post('/api/v1/build', request(1));
  expect([accepted, Object.keys(versions).length > 80]).toEqual([202, true]);
  await stack.ended(body.request_hash);
  await stack.functions.status.invoke(statusEvent(body.request_hash));
  await runner.line('"build done"');
  await settled();
  for (const proxy of Object.values(proxies)) proxy.take();
});
afterAll(async () => {
  await stack.stop();
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
});

const statusEvent = (hash: string) => ({
  version: '2.0',
  rawPath: `/api/v1/build/${hash}`,
  rawQueryString: '',
  headers: {},
  requestContext: { domainName: 'x', http: { method: 'GET', path: `/api/v1/build/${hash}`, sourceIp: '127.0.0.1' } },
});

/**
 * Waits until no more calls come, since processes make some calls after their answers, such as those for statistics.
 */
async function settled(): Promise<void> {
  const state = async () => JSON.stringify(await Promise.all(Object.values(proxies).map((proxy) => proxy.peek())));
  for (let before = await state(), same = 0; same < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = await state();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

const sum = (costs: readonly Costs[], of: 'reads' | 'writes') => costs.reduce((total, cost) => total + cost[of], 0);
/** Leaves out heartbeats and empty receives, of which an idle runner makes six a minute. */
const messages = (costs: readonly Costs[]) =>
  costs.flatMap(({ sqs }) => Object.entries(sqs)).filter(([name]) => !['ReceiveMessage', 'ChangeMessageVisibility'].includes(name));

/** Whether the call writes a step or a renewal: the build is being built before and after it. */
const isStep = ({ operation, body }: AwsCall) =>
  operation === 'UpdateItem' && [':fromState', ':state'].every((name) => body.includes(`"${name}":{"S":"building"}`));

describe('the costs of the whole system on AWS, including statistics and index', () => {
  it('a build: at most 20 write units, 20 read units besides polls, 6 SQS calls', async () => {
    let steps = 0;
    proxies.runner.fail((call) => {
      if (isStep(call)) steps += 1;
      return undefined;
    });
    const { body } = await stack.post('/api/v1/build', request(2));
    await runner.line('"build done"', body.request_hash);
    await settled();
    const costs = [proxies.submit.take(), proxies.runner.take()];
    proxies.status.take();
    const writes = sum(costs, 'writes');
    const reads = sum(costs, 'reads');
    const calls = messages(costs);
    console.info(
      `a build: ${writes} write units (${steps} of them for steps), ${reads} read units, SQS ${JSON.stringify(Object.fromEntries(calls))} and a receive`,
    );
    // A scripted build writes no step, except on a busy machine. A real build writes one step, or three if nothing is
    // cached, and a build of ten minutes also writes a renewal (../cost.test.ts).
    expect(writes - steps + 3 + 1).toBeLessThanOrEqual(20);
    expect(reads).toBeLessThanOrEqual(20);
    expect(calls.reduce((total, [, count]) => total + count, 0) + 1).toBeLessThanOrEqual(6);
    expect(writes).toBeGreaterThan(8);
  });

  it('a cached request: at most 2 read units and 1 write unit', async () => {
    const posted = await stack.post('/api/v1/build', request(2));
    expect(posted.status).toBe(200);
    await settled();
    const { reads, writes, sqs } = proxies.submit.take();
    console.info(`a cached request: ${writes} write units, ${reads} read units`);
    expect(reads).toBeLessThanOrEqual(2);
    expect(writes).toBeLessThanOrEqual(1);
    expect(sqs).toEqual({});
  });

  it('a poll: at most 1 read unit and no write, in every state and with a queue of any length', async () => {
    const poll = async (hash: string, state: string) => {
      proxies.status.take();
      const { headers } = (await stack.functions.status.invoke(statusEvent(hash))) as { headers: Record<string, string> };
      expect(headers['x-imagebuilder-status']).toBe(state);
      const { reads, writes } = proxies.status.take();
      expect(reads).toBeLessThanOrEqual(1);
      expect(writes).toBe(0);
      return reads;
    };
    const done = (await stack.post('/api/v1/build', request(2))).body.request_hash;
    const [ofDone] = [await poll(done, 'done')];
    await runner.stop();
    const hashes: string[] = [];
    for (let i = 0; i < 40; i += 1) hashes.push((await stack.post('/api/v1/build', request(100 + i))).body.request_hash);
    const reads = [await poll(hashes.at(0) ?? '', 'queued'), await poll(hashes.at(-1) ?? '', 'queued')];
    console.info(`a poll: ${ofDone} read units when done, ${reads.join(' and ')} when queued, first and fortieth`);
  });
});
