import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError, ThrottledError } from '#core/errors.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { startHttpServer } from '#test/support/http-server.ts';
import { dynamoBuildTable } from '../builds/build-table.ts';
import { s3ArtifactStore } from '../objects/artifact-store.ts';
import { sqsBuildQueue } from '../queue/build-queue.ts';
import { dynamoStatistics } from '../statistics/statistics.ts';

const HASH = '0'.repeat(64) as RequestHash;

/** Starts a service that throttles every request with this answer, and counts the requests. */
async function refusingService([status, contentType, body]: readonly [number, string, string]) {
  let requests = 0;
  const server = await startHttpServer((request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(status, { 'Content-Type': contentType });
    response.end(body);
  });
  closers.push(server.close);
  return { endpoint: server.url, requests: () => requests };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const json = (type: string) => [400, 'application/x-amz-json-1.0', JSON.stringify({ __type: type, message: 'slow down' })] as const;
const xml = [503, 'application/xml', '<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>'] as const;
const clientOptions = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 2,
});
type Options = ReturnType<typeof clientOptions>;

const THROTTLED = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';

const closedPort = async () => {
  const server = await startHttpServer(() => undefined);
  await server.close();
  return server.url;
};
const CALLS = [
  ['build table', (options: Options) => dynamoBuildTable(new DynamoDBClient(options), 'builds').get(HASH)],
  ['build queue', (options: Options) => sqsQueue(options).send({ hash: HASH, correlationId: 'c' })],
  ['object storage', (options: Options) => s3ArtifactStore(new S3Client({ ...options, forcePathStyle: true }), 'bucket').read('store/a')],
] as const;
const sqsQueue = (options: Options) =>
  sqsBuildQueue(new SQSClient(options), { queueUrl: `${options.endpoint}/1/q`, deadLetterUrl: `${options.endpoint}/1/d` });

describe('a store that cannot be used', () => {
  it.each(CALLS)('is a 503 with Retry-After when no connection can be made: %s', async (what, use) => {
    const error = await use(clientOptions(await closedPort())).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({ status: 503, headers: { 'Retry-After': '10' }, message: expect.stringContaining(what) });
    expect(String((error as Error).cause)).toContain('ECONNREFUSED');
  });

  it.each(CALLS)('is a 503 when the store itself fails: %s', async (what, use) => {
    const { endpoint } = await refusingService([500, 'text/plain', 'store/secret cannot be read']);
    const error = await use(clientOptions(endpoint)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining(what) });
    // What a store says of a failure may name a private build, and the error ends up in the log.
    expect(`${error} ${(error as Error).cause}`).not.toContain('secret');
  });
});

describe('throttling that outlasts the retries of the SDK', () => {
  it.each([
    ['build table', json(THROTTLED), (options: Options) => dynamoBuildTable(new DynamoDBClient(options), 'builds').get(HASH)],
    [
      'statistics table',
      json('com.amazon.coral.availability#ThrottlingException'),
      (options: Options) =>
        dynamoStatistics(new DynamoDBClient(options), 'statistics', () => new Date(0)).started({
          hash: HASH,
          enqueuedAt: '2026-11-01T00:00:00.000Z',
        }),
    ],
    [
      'build queue',
      json('com.amazonaws.sqs#RequestThrottled'),
      (options: Options) =>
        sqsBuildQueue(new SQSClient(options), { queueUrl: `${options.endpoint}/1/q`, deadLetterUrl: `${options.endpoint}/1/d` }).send({
          hash: HASH,
          correlationId: 'c',
        }),
    ],
    [
      'object storage',
      xml,
      (options: Options) => s3ArtifactStore(new S3Client({ ...options, forcePathStyle: true }), 'bucket').read('store/a'),
    ],
  ])('is a 503 with Retry-After: %s', async (what, answer, use) => {
    const service = await refusingService(answer);
    const error = await use(clientOptions(service.endpoint)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ThrottledError);
    expect(error).toMatchObject({ status: 503, headers: { 'Retry-After': '5' }, message: expect.stringContaining(what) });
    expect(service.requests()).toBe(2);
  });

  it('leaves other failures as they are', async () => {
    const { endpoint } = await refusingService(json('com.amazonaws.dynamodb.v20120810#ResourceNotFoundException'));
    const error = await dynamoBuildTable(new DynamoDBClient(clientOptions(endpoint)), 'builds')
      .get(HASH)
      .catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(ThrottledError);
    expect(error).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
