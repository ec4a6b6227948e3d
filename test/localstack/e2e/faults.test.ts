import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localEnvironment, uniqueNames } from '#local-aws/resources/aws-resources.ts';
import { createResources } from '#local-aws/resources/create-resources.ts';
import { type AwsCall, type AwsProxy, awsProxy, BROKEN, DENIED, DENIED_BY_S3, THROTTLED } from '#test/support/aws-proxy.ts';
import { downloadAll } from '#test/support/download.ts';
import { localFunction } from '../../../local-aws/local-function.ts';
import { startProcess } from '../../../local-aws/started-process.ts';
import { dynamoClient, s3Client, sqsClient } from '../clients.ts';
import { awsState } from './aws-state.ts';
import { type TestStack, testStack } from './test-stack.ts';

const request = (rootfs_size_mb: number) => ({
  version: '24.10.2',
  target: 'x86/64',
  profile: 'generic',
  packages: ['vim'],
  rootfs_size_mb,
});

let proxy: AwsProxy;
let stack: TestStack;
let state: ReturnType<typeof awsState>;
beforeAll(async () => {
  proxy = await awsProxy(inject('localStackUrl'));
  stack = await testStack({ images: 'real', endpoints: { 'build-submit': proxy.url, status: proxy.url } });
  state = awsState(stack.resources);
  await stack.startRunner({ endpoint: proxy.url });
});
afterAll(async () => {
  await stack.stop();
  await proxy.close();
});

const failing = (isMeant: (call: AwsCall) => boolean) => proxy.fail((call) => (isMeant(call) ? BROKEN : undefined));
const heal = () => proxy.fail(() => undefined);

/** Returns the `bin_dir` of every image that the bucket has now. */
async function binDirs(): Promise<Set<string>> {
  const { Contents = [] } = await s3Client().send(new ListObjectsV2Command({ Bucket: stack.resources.bucket, Prefix: 'store/' }));
  return new Set(Contents.map(({ Key = '' }) => Key.split('/')[1] ?? ''));
}

describe('object storage that fails', () => {
  it('during the upload: no answer lists missing images, and the next attempt uploads them all', async () => {
    let refused = 0;
    failing(({ operation, path }) => operation === 'PUT' && path.includes('/store/') && path.endsWith('.manifest') && ++refused > 0);
    const accepted = await stack.post('/api/v1/build', request(100));
    const { request_hash: hash } = accepted.body;
    for (;;) {
      await pause(100);
      expect((await stack.get(`/api/v1/build/${hash}`)).status).toBe(202);
      const build = await state.build(hash);
      if (build?.state !== 'queued' || build.lastFailure === undefined) continue;
      expect(build).toMatchObject({ attempt: 1, lastFailure: expect.stringMatching(/^Error: /) });
      break;
    }
    expect(refused).toBeGreaterThan(1); // the SDK retries
    heal();
    const { status, body } = await stack.ended(hash);
    expect(status).toBe(200);
    await downloadAll(stack.url, body);
    expect(await state.build(hash)).toMatchObject({ state: 'done', attempt: 2 });
    expect(await binDirs()).toEqual(new Set([body.bin_dir]));
  });

  it('during publication: the status function answers with the result and publishes it', async () => {
    const document = ({ path }: AwsCall) => path.startsWith(`/${stack.resources.bucket}/api/v1/build/`);
    failing((call) => call.operation === 'PUT' && document(call));
    const accepted = await stack.post('/api/v1/build', request(101));
    const { request_hash: hash } = accepted.body;
    const { status, body, headers } = await stack.ended(hash);
    expect([status, headers.get('etag')]).toEqual([200, null]);
    await downloadAll(stack.url, body);
    heal();
    expect((await stack.get(`/api/v1/build/${hash}`)).body).toEqual(body);
    const published = await stack.get(`/api/v1/build/${hash}`);
    expect(published.headers.get('etag')).not.toBeNull();
    expect(published.body).toEqual(body);
  });
});

describe('a table that is throttled', () => {
  it('through all retries causes a 503 with Retry-After, while the bucket still serves its objects', async () => {
    const accepted = await stack.post('/api/v1/build', request(102));
    const { request_hash: hash } = accepted.body;
    expect((await stack.ended(hash)).status).toBe(200);
    const isTable = ({ operation }: AwsCall) => /Item$|^Query$/.test(operation);
    proxy.fail((call) => (isTable(call) ? THROTTLED : undefined));
    try {
      for (const answer of [await stack.post('/api/v1/build', request(103)), await stack.get(`/api/v1/build/${'0'.repeat(64)}`)]) {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
        expect(answer.body).toMatchObject({ status: 503, title: 'Service Unavailable', detail: expect.stringContaining('busy') });
      }
      expect((await stack.get(`/api/v1/build/${hash}`)).status).toBe(200);
    } finally {
      heal();
    }
    expect((await stack.post('/api/v1/build', request(102))).status).toBe(200);
  });
});

/** Makes new resources for one process, and returns the environment with which it reaches them at the endpoint. */
async function freshEnvironment(endpoint: string): Promise<Record<string, string>> {
  const names = uniqueNames();
  await createResources({ dynamo: dynamoClient(), sqs: sqsClient(), s3: s3Client() }, names);
  return localEnvironment(endpoint, names);
}

describe('a deployment with a missing', () => {
  const without = [
    ['table', { BUILD_TABLE: 'no-such-table' }, 'DynamoDB table no-such-table cannot be used'],
    ['statistics', { STATISTICS_TABLE: 'no-such-table' }, 'DynamoDB table no-such-table cannot be used'],
    ['bucket', { ARTIFACT_BUCKET: 'no-such-bucket' }, 'S3 bucket no-such-bucket cannot be used'],
    ['queue', { BUILD_QUEUE_URL: 'no-such-queue' }, 'no-such-queue cannot be used'],
  ] as const;

  it.each(without)('%s does not start, and names it', async (_, missing, words) => {
    const url = inject('localStackUrl');
    const queue = 'BUILD_QUEUE_URL' in missing ? { BUILD_QUEUE_URL: `${url}/000000000000/${missing.BUILD_QUEUE_URL}` } : {};
    const env = { ...(await freshEnvironment(url)), UPSTREAM_URL: stack.upstream.url, ...missing, ...queue };
    const runner = startProcess(join(inject('bundles'), 'runner.mjs'), env);
    expect(await runner.ended).toBe(1);
    expect(runner.lines.join('\n')).toContain(words);
    for (const name of ['build-submit', 'maintenance']) {
      const handler = localFunction({ name, path: join(inject('bundles'), name, 'handler.mjs'), env });
      await expect(handler.invoke({})).rejects.toThrow(`${name} ended`);
      expect(handler.lines.join('\n')).toContain(words);
    }
  });
});

describe('a process whose role may not use', () => {
  it.each([
    ['the tables', 'GetItem', 'DynamoDB table asu-'],
    ['the queue', 'GetQueueAttributes', 'SQS queue http'],
    ['the bucket', /^(HEAD|PUT)$/, 'S3 bucket asu-'],
  ])('%s does not start, and names them', async (_, operation, words) => {
    const url = inject('localStackUrl');
    const denying = await awsProxy(url);
    const isMeant = (call: AwsCall) => (typeof operation === 'string' ? call.operation === operation : operation.test(call.operation));
    denying.fail((call) => (isMeant(call) ? (typeof operation === 'string' ? DENIED : DENIED_BY_S3) : undefined));
    try {
      const env = { ...(await freshEnvironment(denying.url)), UPSTREAM_URL: stack.upstream.url };
      const runner = startProcess(join(inject('bundles'), 'runner.mjs'), env);
      expect(await runner.ended).toBe(1);
      expect(runner.lines.join('\n')).toContain(words);
      expect(runner.lines.join('\n')).toMatch(/cannot be used.*(AccessDenied|Access Denied|not authorized|403)/is);
      const handler = localFunction({ name: 'build-submit', path: join(inject('bundles'), 'build-submit', 'handler.mjs'), env });
      await expect(handler.invoke({})).rejects.toThrow('build-submit ended');
      expect(handler.lines.join('\n')).toContain(words);
    } finally {
      await denying.close();
    }
  });
});
