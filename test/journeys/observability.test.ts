import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, testServer } from '#test/support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

it('/health says who is there', async () => {
  expect(await (await server.get('/health')).json()).toEqual({
    service: 'standalone',
    status: 'ok',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    timestamp: expect.stringMatching(/Z$/),
  });
});

it('/ready looks at what is needed', async () => {
  const response = await server.get('/ready');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: 'ready', checks: { database: 'ok', upstream: 'ok' } });
});

it('/metrics counts requests by route template, and builds by outcome', async () => {
  const { body } = await server.build({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] });
  const metrics = async () => (await server.get('/metrics')).text();
  // The answer is there before the runner has told its end.
  await expect.poll(metrics).toMatch(/asu_builds_total\{outcome="done"\} 1/);
  const text = await metrics();
  expect(text).toMatch(/http_requests_total\{method="POST",endpoint="\/api\/v1\/build",status_code="202",service="standalone"\} 1/);
  expect(text).toMatch(/asu_requests_total\{outcome="new"\} 1/);
  expect(text).toMatch(/asu_queue_length 0/);
  expect(text).not.toContain(String(body['request_hash']));
});
