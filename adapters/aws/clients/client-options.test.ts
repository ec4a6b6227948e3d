import { glob, readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { GATEWAY_ROUTES } from '#services/gateway/routes.ts';
import { startHttpServer } from '#test/support/http-server.ts';
import { BUILD_QUEUE } from '../resources.ts';
import { ANSWERING_CLIENT, DYNAMO_CLIENT, S3_CLIENT, S3_SERVING_CLIENT, SQS_CLIENT } from './client-options.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Starts a server that accepts every request and answers with `answer`, by default never. Returns its address. */
async function service(answer: (response: ServerResponse) => void = () => undefined): Promise<string> {
  const server = await startHttpServer((request, response) => {
    request.resume();
    answer(response);
  });
  closers.push(server.close);
  return server.url;
}

/** Returns the same options with a hundredth of each timeout for an answer, and a tenth of a second at least. */
const hurried = <Options extends { requestHandler: object }>({ requestHandler }: Options) => ({
  requestHandler: Object.fromEntries(
    Object.entries(requestHandler).map(([name, value]) => [
      name,
      typeof value === 'number' && name !== 'connectionTimeout' ? Math.max(value / 100, 100) : value,
    ]),
  ),
});
const options = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});
const s3 = (endpoint: string, timeouts: { requestHandler: object } = S3_CLIENT) =>
  new S3Client({ ...options(endpoint), ...hurried(timeouts), forcePathStyle: true });
const OBJECT = { Bucket: 'bucket', Key: 'key' };

describe('a client of a service that accepts requests and never answers', () => {
  it.each([
    [
      'DynamoDB',
      (endpoint: string) =>
        new DynamoDBClient({ ...options(endpoint), ...hurried(DYNAMO_CLIENT) }).send(
          new GetItemCommand({ TableName: 'builds', Key: { hash: { S: 'a' } } }),
        ),
    ],
    [
      'SQS',
      (endpoint: string) =>
        new SQSClient({ ...options(endpoint), ...hurried(SQS_CLIENT) }).send(new ReceiveMessageCommand({ QueueUrl: `${endpoint}/1/q` })),
    ],
    ['S3', (endpoint: string) => s3(endpoint).send(new PutObjectCommand({ ...OBJECT, Body: Buffer.alloc(1_000) }))],
    ['S3, for serving', (endpoint: string) => s3(endpoint, S3_SERVING_CLIENT).send(new GetObjectCommand(OBJECT))],
  ])('does not wait forever: %s', async (_, call) => {
    await expect(call(await service())).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('does not wait forever in the middle of an object either', async () => {
    const endpoint = await service((response) => {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('begun');
    });
    const read = async () => (await s3(endpoint).send(new GetObjectCommand(OBJECT))).Body?.transformToString();
    await expect(read()).rejects.toThrow('inactivity');
  });
});

describe('clients of AWS', () => {
  it('let a poll wait for a message, and let an upload take as long as it needs', () => {
    expect(SQS_CLIENT.requestHandler.requestTimeout).toBeGreaterThan(BUILD_QUEUE.receiveWaitSeconds * 1_000);
    expect(S3_CLIENT.requestHandler).not.toHaveProperty('requestTimeout');
  });

  it('keep the connection of an object open for a reader that pauses', async () => {
    const bytes = 32 * 1024 * 1024;
    const endpoint = await service((response) => {
      response.writeHead(200, { 'Content-Length': bytes });
      response.end(Buffer.alloc(bytes));
    });
    const { Body } = await s3(endpoint, S3_SERVING_CLIENT).send(new GetObjectCommand(OBJECT));
    await setTimeout(1_000);
    expect((await Body?.transformToByteArray())?.length).toBe(bytes);
  });

  it('have these options wherever a server creates one', async () => {
    const made: string[] = [];
    for await (const path of glob(['functions/*/handler.ts', 'runner/*.ts', 'services/aws-clients.ts'], { cwd: ROOT }))
      made.push(...((await readFile(join(ROOT, path), 'utf8')).match(/new (DynamoDB|SQS|S3)Client\(.*/g) ?? []));
    expect(made.length).toBeGreaterThan(10);
    const names: Readonly<Record<string, RegExp>> = {
      DynamoDB: /\((DYNAMO|ANSWERING)_CLIENT\)/,
      SQS: /\((SQS|ANSWERING)_CLIENT\)/,
      S3: /\.\.\.(S3|S3_SERVING)_CLIENT,/,
    };
    for (const call of made) expect(call).toMatch(names[/new (\w+)Client/.exec(call)?.[1] ?? ''] ?? /never/);
  });

  it('that answer clients of ours end all attempts before the gateway gives up', async () => {
    const patience = Math.min(...GATEWAY_ROUTES.filter(({ service }) => service !== 'catalogue').map(({ timeoutMs }) => timeoutMs));
    for (const { requestHandler, maxAttempts } of [ANSWERING_CLIENT, S3_SERVING_CLIENT])
      for (const timeout of [requestHandler.requestTimeout, requestHandler.connectionTimeout])
        expect(maxAttempts * timeout).toBeLessThan(patience);
    for await (const path of glob('{functions/{build-submit,catalogue,stats,status}/handler.ts,services/aws-clients.ts}', { cwd: ROOT }))
      expect(await readFile(join(ROOT, path), 'utf8')).not.toMatch(/\b(DYNAMO|SQS|S3)_CLIENT/);
  });
});
