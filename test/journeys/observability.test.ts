import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Family, familiesIn } from '#test/support/promql.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it('/health names the service and its version', async () => {
  expect(await (await server.get('/health')).json()).toEqual({
    service: 'standalone',
    status: 'ok',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    timestamp: expect.stringMatching(/Z$/),
  });
});

it('/ready checks everything the server depends on', async () => {
  const response = await server.get('/ready');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: 'ready', checks: { database: 'ok', upstream: 'ok' } });
});

it('/ready does not call an upstream ok that does not answer, and says whether there are copies of it', async () => {
  const cut = await startTestServer();
  try {
    cut.upstream.faults.add(/./, { kind: 'status', status: 503 });
    const without = await cut.get('/ready');
    expect(without.status).toBe(503);
    expect(await without.json()).toMatchObject({ checks: { database: 'ok', upstream: expect.stringContaining('not available') } });
  } finally {
    await cut.close();
  }
  const served = await startTestServer();
  try {
    await served.get('/json/v1/latest.json');
    served.upstream.faults.add(/./, { kind: 'status', status: 503 });
    const withCopies = await served.get('/ready');
    expect(withCopies.status).toBe(200);
    expect(await withCopies.json()).toMatchObject({
      status: 'degraded',
      checks: { database: 'ok', upstream: expect.stringContaining('not available') },
    });
  } finally {
    await served.close();
  }
});

it('/metrics counts requests by route template, and builds by outcome', async () => {
  const { body } = await server.build({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] });
  const metrics = async () => (await server.get('/metrics')).text();
  // The answer comes before the runner has logged the end.
  await expect.poll(metrics).toMatch(/asu_builds_total\{outcome="done"\} 1/);
  const text = await metrics();
  expect(text).toMatch(/http_requests_total\{method="POST",endpoint="\/api\/v1\/build",status_code="202",service="standalone"\} 1/);
  expect(text).toMatch(/asu_requests_total\{outcome="new"\} 1/);
  expect(text).toMatch(/asu_queue_length 0/);
  expect(text).not.toContain(String(body['request_hash']));
});

const REQUEST = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const familiesOf = async (of: TestServer): Promise<Family[]> => familiesIn(await (await of.get('/metrics')).text());
const sampleOf = async (of: TestServer, sample: string) =>
  Number(
    (await (await of.get('/metrics')).text())
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length),
  );

it('/metrics does not grow with the paths and methods that clients invent', async () => {
  const labelsOf = async (label: string) => {
    const families = (await familiesOf(server)).filter(({ name }) => name.startsWith('http_'));
    return new Set(families.flatMap(({ samples }) => samples.map(({ labels }) => labels[label])));
  };
  const ask = async (method: string, path: string) => void (await (await server.get(path, { method })).arrayBuffer());
  const round = async (seed: string) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'MKCOL', 'REPORT'])
      for (const path of [
        `/api/v1/build/${seed.padStart(64, '0')}`,
        `/api/v1/build/${seed.padStart(64, 'a')}?x=${seed}`,
        `/store/${seed}/${seed}.bin`,
        `/json/v1/releases/${seed}/targets/x/y.json`,
        `/api/v1/revision/${seed}/x86/64`,
        `/${seed}/wp-login.php`,
        `//${seed}`,
        `/%2e%2e/${seed}`,
      ])
        await ask(method, path);
  };
  await round('1');
  const [endpoints, methods] = [await labelsOf('endpoint'), await labelsOf('method')];
  for (const seed of ['2', '3', '4']) await round(seed);
  expect(await labelsOf('endpoint')).toEqual(endpoints);
  expect(await labelsOf('method')).toEqual(methods);
  expect([...methods]).toEqual(expect.arrayContaining(['GET', 'OPTIONS', 'other']));
  expect(endpoints).toContain('unmatched');
  expect(endpoints).toContain('/api/v1/build/:hash');
  for (const endpoint of endpoints) expect(endpoint).not.toMatch(/[0-9a-f]{32}|wp-login|[{}]/);
});

it('/metrics shows how long builds have waited, and which slots are taken', async () => {
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const busy = await startTestServer({ imageMaker: scriptedImageMaker({ act: () => held }) });
  try {
    expect(await sampleOf(busy, 'asu_runner_slots')).toBe(1);
    expect(await sampleOf(busy, 'asu_runner_slots_busy')).toBe(0);
    expect(await sampleOf(busy, 'asu_queue_oldest_seconds')).toBe(0);
    for (const name of ['vim', 'tmux', 'htop']) await (await busy.post('/api/v1/build', { ...REQUEST, packages: [name] })).arrayBuffer();
    await expect.poll(() => sampleOf(busy, 'asu_runner_slots_busy')).toBe(1);
    expect(await sampleOf(busy, 'asu_builds_running')).toBe(1);
    expect(await sampleOf(busy, 'asu_queue_length')).toBe(2);
    const waited = await sampleOf(busy, 'asu_queue_oldest_seconds');
    expect(waited).toBeGreaterThan(0);
    await expect.poll(() => sampleOf(busy, 'asu_queue_oldest_seconds')).toBeGreaterThan(waited);
    expect(await sampleOf(busy, 'asu_requests_total{outcome="new"}')).toBe(3);
    await (await busy.post('/api/v1/build', { ...REQUEST, packages: ['vim'] })).arrayBuffer();
    await (await busy.post('/api/v1/build', { ...REQUEST, packages: ['no-such-package'] })).arrayBuffer();
    expect(await sampleOf(busy, 'asu_requests_total{outcome="joined"}')).toBe(1);
    expect(await sampleOf(busy, 'asu_requests_total{outcome="rejected"}')).toBe(1);
    finish();
    await expect.poll(() => sampleOf(busy, 'asu_builds_total{outcome="done"}')).toBe(3);
    await expect.poll(() => sampleOf(busy, 'asu_runner_slots_busy')).toBe(0);
    expect(await sampleOf(busy, 'asu_queue_oldest_seconds')).toBe(0);
    expect(await sampleOf(busy, 'asu_build_wait_seconds_count')).toBe(3);
  } finally {
    finish();
    await busy.close();
  }
});

it('/metrics counts the answers of upstream, and their absence', async () => {
  const lonely = await startTestServer();
  try {
    await (await lonely.post('/api/v1/prepare', REQUEST)).arrayBuffer();
    const found = await sampleOf(lonely, 'asu_upstream_requests_total{outcome="found"}');
    expect(found).toBeGreaterThan(0);
    expect(await sampleOf(lonely, 'asu_upstream_requests_total{outcome="failed"}')).toBe(0);
    await lonely.upstream.close();
    await (await lonely.post('/api/v1/prepare', { ...REQUEST, target: 'ath79/generic' })).arrayBuffer();
    expect(await sampleOf(lonely, 'asu_upstream_requests_total{outcome="failed"}')).toBeGreaterThan(0);
  } finally {
    await lonely.close();
  }
});

it('/metrics counts what the runner asks of upstream', async () => {
  const building = await startTestServer({ realImages: {} });
  try {
    const body = { ...REQUEST, packages: ['vim'] };
    // Whatever the catalogue has to read of upstream, it has read then.
    await (await building.post('/api/v1/build/prepare', body)).arrayBuffer();
    building.upstream.clearRequests();
    const before = await sampleOf(building, 'asu_upstream_requests_total{outcome="found"}');
    expect((await building.build(body)).status).toBe(200);
    expect(building.upstream.requests.some(({ path }) => path.includes('imagebuilder'))).toBe(true);
    expect(await sampleOf(building, 'asu_upstream_requests_total{outcome="found"}')).toBeGreaterThan(before);
  } finally {
    await building.close();
  }
});
