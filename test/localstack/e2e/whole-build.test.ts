import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FUNCTION_NAMES, type FunctionName } from '#functions/function-name.ts';
import { localEnvironment } from '#local-aws/resources/aws-resources.ts';
import { downloadAll } from '#test/support/download.ts';
import { startLocalApi } from '../../../local-aws/local-api.ts';
import { type LocalFunction, localFunction } from '../../../local-aws/local-function.ts';
import { awsState } from './aws-state.ts';
import { type Answer, type TestStack, testStack } from './test-stack.ts';

const REQUEST = { version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['vim', 'auc'] };
/** An endpoint where nothing listens. */
const CLOSED = 'http://127.0.0.1:9';

let stack: TestStack;
let state: ReturnType<typeof awsState>;
beforeAll(async () => {
  stack = await testStack({ images: 'real', env: { REFUSE_IMPOSSIBLE: 'warn' } });
  state = awsState(stack.resources);
  await stack.startRunner();
});
afterAll(() => stack.stop());

describe('a build on AWS', () => {
  let finished: Answer;
  const path = () => `/api/v1/build/${finished.body.request_hash}`;

  it('goes from the request through functions, queue and runner to images in the bucket', async () => {
    const accepted = await stack.post('/api/v1/build', REQUEST);
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({ detail: 'queued', queue_position: 0 });
    finished = await stack.ended(accepted.body.request_hash);
    expect([finished.status, finished.body.detail]).toEqual([200, 'done']);
    expect(finished.body).toMatchObject({ manifest: { vim: expect.any(String), owut: expect.any(String) } });
    const contents = await downloadAll(stack.url, finished.body);
    expect(Object.keys(contents).some((name) => name.endsWith('sysupgrade.bin'))).toBe(true);
    await expect.poll(() => state.messages()).toBe(0);
  });

  it('is answered from the bucket, including its images, without any function and with table and queue out of reach', async () => {
    const env = {
      ...localEnvironment(inject('localStackUrl'), stack.names),
      AWS_ENDPOINT_URL_DYNAMODB: CLOSED,
      AWS_ENDPOINT_URL_SQS: CLOSED,
    };
    const queues = { BUILD_QUEUE_URL: `${CLOSED}/q`, DEAD_LETTER_QUEUE_URL: `${CLOSED}/d` };
    const functions = Object.fromEntries(
      FUNCTION_NAMES.map((name) => [
        name,
        localFunction({ name, path: join(inject('bundles'), name, 'handler.mjs'), env: { ...env, ...queues } }),
      ]),
    ) as Record<FunctionName, LocalFunction>;
    const api = await startLocalApi({ bucketUrl: `${inject('localStackUrl')}/${stack.resources.bucket}`, functions });
    try {
      const response = await fetch(api.url + path());
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual(finished.body);
      await downloadAll(api.url, finished.body);
      expect(Object.values(functions).map((one) => one.starts())).toEqual(FUNCTION_NAMES.map(() => 0));
      // This shows that they really are out of reach.
      expect((await fetch(`${api.url}/api/v1/build/${'0'.repeat(64)}`)).status).toBe(500);
      expect(functions.status.lines.join('\n')).toContain(`ResourceError: DynamoDB table ${stack.resources.table} cannot be used`);
    } finally {
      await api.close();
      await Promise.all(Object.values(functions).map((one) => one.stop()));
    }
  });

  it('has the same answer from the bucket, the status function and POST, each with its headers', async () => {
    const fromBucket = await stack.get(path());
    expect(fromBucket.headers.get('etag')).not.toBeNull();
    const posted = await stack.post('/api/v1/build', REQUEST);
    // The viewer function sends this path to the API.
    const event = { rawPath: path(), requestContext: { http: { method: 'GET', path: path(), sourceIp: '127.0.0.1' }, domainName: 'x' } };
    const asked = (await stack.functions.status.invoke({ version: '2.0', headers: {}, rawQueryString: '', ...event })) as { body: string };
    expect(posted.status).toBe(200);
    expect(posted.body).toEqual(fromBucket.body);
    expect(JSON.parse(asked.body)).toEqual(fromBucket.body);
    for (const { headers } of [fromBucket, posted]) {
      expect(headers.get('x-imagebuilder-status')).toBe('done');
      expect(headers.get('x-queue-position')).toBe('0');
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('x-correlation-id')).toMatch(/^[\w.-]+$/);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect([...headers.keys()].filter((name) => name.startsWith('x-amz-'))).toEqual([]);
    }
    expect(fromBucket.headers.get('cache-control')).toBe('public, max-age=60, must-revalidate, stale-if-error=0');
    const head = await stack.get(path(), { method: 'HEAD' });
    expect([head.status, head.headers.get('x-imagebuilder-status')]).toEqual([200, 'done']);
    const conditional = await stack.get(path(), { headers: { 'If-None-Match': fromBucket.headers.get('etag') ?? '' } });
    expect(conditional.status).toBe(304);
  });

  it('has images that clients may cache forever and download in ranges', async () => {
    const { bin_dir, images } = finished.body;
    const image = `${stack.url}/store/${bin_dir}/${images[0]?.name}`;
    const whole = await fetch(image);
    expect(whole.headers.get('content-disposition')).toBe(`attachment; filename="${images[0]?.name}"`);
    expect(whole.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const content = Buffer.from(await whole.arrayBuffer());
    expect(createHash('sha256').update(content).digest('hex')).toBe(images[0]?.sha256);
    const part = await fetch(image, { headers: { Range: 'bytes=4-7' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 4-7/${content.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(content.subarray(4, 8));
    const missing = await stack.get(`/store/${bin_dir}/no-such-image.bin`);
    expect([missing.status, missing.body]).toEqual([404, expect.objectContaining({ status: 404, title: 'Not Found' })]);
    expect(missing.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('has images by its request hash, by a redirect that no cache keeps', async () => {
    const { bin_dir, request_hash, images } = finished.body;
    const path = `/store/${request_hash}/${images[0]?.name}`;
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await fetch(`${stack.url}${path}?1764000000000`, { method, redirect: 'manual' });
      expect([status, headers.get('location')]).toEqual([302, `/store/${bin_dir}/${images[0]?.name}`]);
      expect([headers.get('cache-control'), headers.get('access-control-allow-origin')]).toEqual(['no-store', '*']);
    }
    const followed = Buffer.from(await (await fetch(stack.url + path)).arrayBuffer());
    expect(createHash('sha256').update(followed).digest('hex')).toBe(images[0]?.sha256);
    const unlisted = await stack.get(`/store/${request_hash}/no-such-image.bin`);
    expect([unlisted.status, unlisted.body]).toEqual([404, expect.objectContaining({ status: 404, title: 'Not Found' })]);
  });

  it('is prepared by a function without AWS resources, which computes its hash', async () => {
    const prepared = await stack.post('/api/v1/prepare', REQUEST);
    expect([prepared.status, prepared.body.request_hash]).toEqual([200, finished.body.request_hash]);
    const known = await stack.post('/api/v1/build/prepare', REQUEST);
    expect(known.body).toMatchObject({ cache_available: true, cached_job_id: finished.body.request_hash });
  });

  it('is built once for 100 simultaneous requests', async () => {
    const body = { ...REQUEST, packages: ['nano'] };
    const answers = await Promise.all(Array.from({ length: 100 }, () => stack.post('/api/v1/build', body)));
    expect(new Set(answers.map(({ status }) => (status === 200 ? 202 : status)))).toEqual(new Set([202]));
    const hashes = new Set(answers.map((answer) => answer.body.request_hash));
    expect(hashes.size).toBe(1);
    const [hash = ''] = hashes;
    // These are duplicates, as SQS may deliver them: before and after the end of the build.
    await state.queue.send({ hash: hash as never, correlationId: 'twice' });
    const { status, body: result } = await stack.ended(hash);
    expect(status).toBe(200);
    await state.queue.send({ hash: hash as never, correlationId: 'thrice' });
    await expect.poll(() => state.messages(), { timeout: 30_000 }).toBe(0);
    expect((await stack.get(`/api/v1/build/${hash}`)).body).toEqual(result);
    expect(await state.build(hash)).toMatchObject({ state: 'done', attempt: 1, binDir: result.bin_dir });
    await downloadAll(stack.url, result);
  });

  it('that cannot succeed is answered with its error output, and remembered', async () => {
    const body = { ...REQUEST, packages: ['foe-a', 'foe-b'] };
    const accepted = await stack.post('/api/v1/build', body);
    expect(accepted.status).toBe(202);
    const failed = await stack.ended(accepted.body.request_hash);
    expect(failed.status).toBe(500);
    expect(failed.headers.get('x-imagebuilder-status')).toBe('failed');
    expect(failed.body.detail).toMatch(/^Error: Impossible package selection/);
    expect(failed.body['stdout']).toEqual(expect.stringContaining('foe-'));
    expect(await stack.post('/api/v1/build', body)).toMatchObject({ status: 500, body: failed.body });
    expect(await state.build(accepted.body.request_hash)).toMatchObject({ state: 'failed', cached: true, attempt: 1 });
  });

  it('has documentation, health and readiness, without details about resources', async () => {
    expect((await stack.get('/api/v1/openapi.json')).body).toMatchObject({ openapi: '3.1.0' });
    const page = await fetch(`${stack.url}/docs`);
    expect([page.url, page.status, page.headers.get('content-type')]).toEqual([
      `${stack.url}/api/v1/docs`,
      200,
      'text/html; charset=utf-8',
    ]);
    expect((await fetch(`${stack.url}/api/v1/docs/swagger-ui-bundle.js`)).status).toBe(200);
    expect((await stack.get('/health')).body).toMatchObject({ status: 'ok' });
    expect((await stack.get('/ready')).body).toMatchObject({
      status: 'ready',
      checks: { table: 'ok', statistics: 'ok', queue: 'ok', bucket: 'ok' },
    });
  });

  it('is listed by catalogue and overview, both published and on request', async () => {
    const asked = await stack.get('/json/v1/overview.json');
    expect(asked.status).toBe(200);
    expect(stack.functions.catalogue.starts()).toBe(1);
    expect((await stack.get('/no/such/thing')).body).toMatchObject({ status: 404, title: 'Not Found' });
    const preflight = await stack.get('/api/v1/build', { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
  });
});
