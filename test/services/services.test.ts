import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { uniqueNames } from '#local-aws/resources/aws-resources.ts';
import { createResources } from '#local-aws/resources/create-resources.ts';
import { startTopology, type Topology } from '#services/start-topology.ts';
import { SERVICE_NAMES, type ServiceName, TOPOLOGY } from '#services/topology.ts';
import { dynamoClient, s3Client, sqsClient } from '#test/localstack/clients.ts';
import { type AwsProxy, awsProxy } from '#test/support/aws-proxy.ts';
import { downloadAll, type Finished } from '#test/support/download.ts';
import { familiesIn } from '#test/support/promql.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

const run = promisify(execFile);
const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };

let upstream: DemoUpstreamServer;
let topology: Topology;
let aws: AwsProxy;
let directory: string;
const lines: Record<string, string[]> = {};

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  directory = await temporaryDirectory();
  const names = uniqueNames();
  await createResources({ dynamo: dynamoClient(), sqs: sqsClient(), s3: s3Client() }, names);
  aws = await awsProxy(inject('localStackUrl'));
  topology = await startTopology({
    localstackUrl: aws.url,
    upstreamUrl: upstream.url,
    directory,
    names,
    // Services that somebody else runs on this machine would answer for the one that the test takes away.
    anyPorts: true,
    environment: {
      TRUSTED_KEYS: demoUpstreamKey.base64,
      LOG_LEVEL: 'debug',
      RATE_LIMIT_BUILDS_BURST: '1000',
      // The queue may hand a message to a runner that was killed while it waited for one. It returns after the lease.
      LEASE: '20',
    },
    onLine: (service, line) => {
      lines[service] ??= [];
      lines[service].push(line);
    },
  });
});
afterAll(async () => {
  await topology?.close();
  await aws?.close();
  await upstream?.close();
});

const get = (path: string, name: ServiceName = 'gateway') => fetch(topology.urls[name] + path);
const post = (path: string, body: unknown, name: ServiceName = 'gateway', headers: Record<string, string> = {}) =>
  fetch(topology.urls[name] + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

/** Asks for a build and then for its state until it has ended. */
async function build(body: unknown, query = ''): Promise<{ status: number; body: Record<string, unknown> }> {
  let response = await post(`/api/v1/build${query}`, body);
  let answer = await json(response);
  while (response.status === 202) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    response = await get(`/api/v1/build/${answer['request_hash']}`);
    answer = await json(response);
  }
  return { status: response.status, body: answer };
}

/** Stops a service, runs `act`, and starts the service again. */
async function without<T>(name: ServiceName, act: () => Promise<T>): Promise<T> {
  await topology.kill(name);
  try {
    return await act();
  } finally {
    await topology.start(name);
  }
}

describe('every service', () => {
  it.each(SERVICE_NAMES)('%s has its own health, readiness and metrics', async (name) => {
    const health = await get('/health', name);
    expect(await json(health)).toMatchObject({ service: name, status: 'ok', version: expect.any(String), timestamp: expect.any(String) });
    await expect.poll(async () => [name, (await get('/ready', name)).status], { timeout: 60_000, interval: 500 }).toEqual([name, 200]);
    const metrics = await (await get('/metrics', name)).text();
    expect(metrics).toMatch(
      new RegExp(`^http_requests_total\\{method="GET",endpoint="/health",status_code="200",service="${name}"\\} \\d+$`, 'm'),
    );
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});

describe('the documents’ own examples', () => {
  const BODY = '{"version":"24.10.0","target":"ath79/generic","profile":"test","packages":["luci","auc"]}';

  it.each<[ServiceName, string]>([
    [
      'prepare',
      `curl -sS -w '\\n%{http_code}' -X POST http://localhost:8001/api/v1/prepare -H "Content-Type: application/json" -d '${BODY}'`,
    ],
    [
      'build',
      `curl -sS -w '\\n%{http_code}' -X POST http://localhost:8000/api/v1/build/prepare -H "Content-Type: application/json" -d '${BODY}'`,
    ],
  ])('%s: %s', async (name, command) => {
    // Another program may have the documented port.
    const { port } = new URL(topology.urls[name]);
    const documented = TOPOLOGY.find((service) => service.name === name)?.port;
    const { stdout } = await run('sh', ['-c', command.replace(`localhost:${documented}`, `127.0.0.1:${port}`)]);
    const [text = '', status] = stdout.split('\n');
    expect(status).toBe('200');
    expect(JSON.parse(text)).toMatchObject({
      status: 'prepared',
      resolved_packages: ['luci', 'owut'],
      changes: [{ type: 'migration', from_package: 'auc', to_package: 'owut', reason: expect.any(String) }],
    });
  });
});

describe('the three flows', () => {
  it('prepare only: nothing is built', async () => {
    const before = await (await get('/metrics', 'build')).text();
    const prepared = await json(await post('/api/v1/prepare', { ...X86, packages: ['vim', 'auc'] }));
    expect(prepared).toMatchObject({ status: 'prepared', resolved_packages: ['vim', 'owut'] });
    expect((await get(`${prepared['status_url']}`)).status).toBe(404);
    const submitted = (text: string) => /^asu_requests_total.*$/gm.exec(text)?.[0];
    expect(submitted(await (await get('/metrics', 'build')).text())).toBe(submitted(before));
  });

  it('direct: POST /build resolves the packages and builds, and every file can be downloaded', async () => {
    const { status, body } = await build({ ...X86, packages: ['vim', 'auc'] });
    expect(status).toBe(200);
    expect(body['request']).toMatchObject({ packages: ['vim', 'owut'] });
    await downloadAll(topology.urls.gateway, body as unknown as Finished);
  });

  it('prepared: the approved list is what is built, and a direct request for it is cached, and the other way round', async () => {
    const request = { ...X86, packages: ['tmux', 'auc'] };
    const prepared = await json(await post('/api/v1/build/prepare', request));
    expect(prepared).toMatchObject({ resolved_packages: ['tmux', 'owut'], cache_available: false, cached_job_id: null });
    const { status, body } = await build(prepared['prepared_request'], '?skip_package_resolution=true');
    expect(status).toBe(200);
    expect(body).toMatchObject({ request_hash: prepared['request_hash'], request: { packages: ['tmux', 'owut'] } });
    expect(String(body['build_cmd'])).toContain('PACKAGES=');
    expect(await json(await post('/api/v1/build/prepare', request))).toMatchObject({
      cache_available: true,
      cached_job_id: prepared['request_hash'],
    });
  });

  it('carries one correlation id from the gateway to the prepare service and to the runner', async () => {
    const id = `journey-${randomUUID()}`;
    await post('/api/v1/build/prepare', { ...X86, packages: ['nano'] }, 'gateway', { 'X-Correlation-Id': id });
    const response = await post('/api/v1/build', { ...X86, packages: ['nano'] }, 'gateway', { 'X-Correlation-Id': id });
    const { request_hash } = await json(response);
    await expect.poll(async () => (await get(`/api/v1/build/${request_hash}`)).status, { timeout: 60_000, interval: 200 }).toBe(200);
    for (const name of ['gateway', 'build', 'prepare', 'runner'])
      await expect.poll(() => [name, lines[name]?.some((line) => line.includes(id))]).toEqual([name, true]);
  });
});

describe('the logs and metrics of the services', () => {
  /** The sum of all samples of a metric that have the labels. */
  const metric = async (service: ServiceName, name: string, labels: Record<string, string> = {}) => {
    const samples = familiesIn(await (await get('/metrics', service)).text()).flatMap((family) => family.samples);
    const found = samples.filter(
      (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
    return found.reduce((sum, { value }) => sum + value, 0);
  };

  it('the runner: slots, builds by outcome, time in the queue and time per step', async () => {
    const done = await metric('runner', 'asu_builds_total', { outcome: 'done' });
    expect((await build({ ...X86, packages: ['vim', 'tmux', 'htop'] })).status).toBe(200);
    await expect.poll(() => metric('runner', 'asu_builds_total', { outcome: 'done' })).toBe(done + 1);
    expect(await metric('runner', 'asu_runner_slots')).toBe(1);
    await expect.poll(() => metric('runner', 'asu_runner_slots_busy')).toBe(0);
    for (const name of ['asu_build_duration_seconds_count', 'asu_build_wait_seconds_count'])
      expect([name, await metric('runner', name)]).toEqual([name, done + 1]);
    for (const step of ['unpack_imagebuilder', 'building_image'])
      expect([step, await metric('runner', 'asu_build_step_duration_seconds_count', { step })]).toEqual([step, done + 1]);
  });

  it.each<ServiceName>(['runner', 'prepare', 'maintenance'])('%s: what it asks of upstream', async (name) => {
    await post('/api/v1/prepare', X86);
    await expect.poll(() => metric(name, 'asu_upstream_requests_total'), { timeout: 90_000, interval: 500 }).toBeGreaterThan(0);
    expect(await metric(name, 'asu_upstream_request_duration_seconds_count')).toBeGreaterThan(0);
  });

  it('build: the request whose message could not be sent', async () => {
    const id = `unsent-${randomUUID()}`;
    const denied = { status: 403, contentType: 'application/x-amz-json-1.0', body: '{"__type":"AccessDenied","message":"no"}' };
    aws.fail(({ operation }) => (operation === 'SendMessage' ? denied : undefined));
    try {
      const request = { ...X86, packages: ['nano', 'htop'] };
      const accepted = await post('/api/v1/build', request, 'gateway', { 'X-Correlation-Id': id });
      expect(accepted.status).toBe(202);
      const { request_hash } = await json(accepted);
      const told = () => lines['build']?.find((line) => line.includes('message could not be sent'));
      await expect.poll(told).toBeDefined();
      expect(JSON.parse(told() ?? '')).toMatchObject({ level: 'error', correlation_id: id, request_hash });
    } finally {
      aws.fail(() => undefined);
    }
  });
});

// A service that ends cleanly leaves its compiled code for its next start, so this comes before the services are killed.
it.each(SERVICE_NAMES.filter((name) => name !== 'gateway'))('%s ends cleanly after SIGTERM', async (name) => {
  expect([name, await topology.kill(name, 'SIGTERM')]).toEqual([name, 0]);
  await topology.start(name);
});

describe('without one service', () => {
  let finished: Record<string, unknown>;
  beforeAll(async () => {
    ({ body: finished } = await build({ ...X86, packages: ['htop'] }));
    expect(finished['status']).toBe(200);
  });
  const statusPath = () => `/api/v1/build/${finished['request_hash']}`;

  it.each(SERVICE_NAMES)('%s: a finished build and its images are still served', async (name) => {
    await without(name, async () => {
      // Without the gateway, the services themselves answer.
      const entry = name === 'gateway' ? 'status' : 'gateway';
      const response = await get(statusPath(), entry);
      expect([response.status, await json(response)]).toEqual([200, finished]);
      await downloadAll(topology.urls[entry], finished as unknown as Finished);
    });
  });

  it('prepare: builds are still accepted and prepared, with the same answer', async () => {
    const request = { ...X86, packages: ['luci', 'auc'] };
    const usual = await json(await post('/api/v1/build/prepare', request));
    await without('prepare', async () => {
      expect(await json(await post('/api/v1/build/prepare', request))).toEqual(usual);
      expect((await build({ ...X86, packages: ['luci'] })).status).toBe(200);
      expect((await post('/api/v1/prepare', request)).status).toBe(502);
    });
    expect(await json(await post('/api/v1/prepare', request))).toMatchObject({ resolved_packages: usual['resolved_packages'] });
  });

  it('build: prepare goes on, and only new builds are refused', async () => {
    await without('build', async () => {
      expect((await post('/api/v1/prepare', X86)).status).toBe(200);
      expect((await post('/api/v1/build', X86)).status).toBe(502);
      expect((await get('/json/v1/latest.json')).status).toBe(200);
      expect((await get('/api/v1/stats')).status).toBe(200);
    });
  });

  it('runner: builds are accepted, and finished once a runner is back', async () => {
    const hash = await without('runner', async () => {
      const response = await post('/api/v1/build', { ...X86, packages: ['vim', 'htop'] });
      expect(response.status).toBe(202);
      return (await json(response))['request_hash'];
    });
    await expect.poll(async () => (await get(`/api/v1/build/${hash}`)).status, { timeout: 90_000, interval: 500 }).toBe(200);
  });
});
