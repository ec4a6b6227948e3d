import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { imageFinder } from '#core/build/find-image.ts';
import { buildState } from '#functions/build-state.ts';
import { composeStatus } from '#functions/status/composition.ts';
import { composeStore } from '#functions/store/composition.ts';
import { httpApp } from '#http/http-app.ts';
import type { Answered } from '#observe/answered.ts';
import { jsonLog } from '#observe/log.ts';
import { startHttpServer } from '#test/support/http-server.ts';

const HASH = 'a1'.repeat(32);

/** Returns the status service over stores at an address where nothing listens any more. */
async function statusService() {
  const gone = await startHttpServer(() => undefined);
  await gone.close();
  const options = { endpoint: gone.url, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };
  const clients = { dynamo: new DynamoDBClient(options), s3: new S3Client({ ...options, forcePathStyle: true }) };
  const config = { BUILD_TABLE: 'builds', ARTIFACT_BUCKET: 'bucket', MAX_RUNNERS: 1, REBUILD_PAUSE: 0 };
  const state = buildState(config, clients, 'eventual');
  const lines: string[] = [];
  const answered: Answered[] = [];
  const parts = [composeStatus(config, clients, state), composeStore({}, state.artifacts, imageFinder(state))].flatMap(
    ({ routes }) => routes,
  );
  const app = httpApp({ log: jsonLog('debug', (line) => lines.push(line)), onAnswered: (one) => answered.push(one) }, ...parts);
  return { app, lines, answered };
}

describe('while the stores of state are gone', () => {
  it.each([
    ['GET', `/api/v1/build/${HASH}`],
    ['HEAD', `/api/v1/build/${HASH}`],
    ['GET', `/store/${HASH}/image.bin`],
  ])('%s %s is 503 with Retry-After, and no fault of the client', async (method, path) => {
    const { app } = await statusService();
    const response = await app.request(path, { method });
    expect([response.status, response.headers.get('Retry-After'), response.headers.get('Cache-Control')]).toEqual([503, '10', 'no-store']);
    expect(response.headers.get('X-Imagebuilder-Status')).toBeNull();
    if (method === 'GET')
      expect(await response.json()).toMatchObject({
        status: 503,
        title: 'Service Unavailable',
        detail: expect.stringContaining('please try again'),
      });
  });

  it('the log and the figures tell the operator, without naming the build', async () => {
    const { app, lines, answered } = await statusService();
    await app.request(`/api/v1/build/${HASH}`);
    const failed = lines.map((line) => JSON.parse(line)).find(({ message }) => message === 'request failed');
    expect(JSON.stringify(failed)).toContain('ECONNREFUSED');
    expect(lines.join('')).not.toContain(HASH);
    expect(answered.map(({ status, isBug }) => [status, isBug])).toEqual([[503, true]]);
  });
});
