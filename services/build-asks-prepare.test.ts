import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN, httpPrepareService, OPEN_MS, PREPARE_TOTAL_MS } from '#adapters/prepare-service/prepare-service.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { AskPrepare } from '#core/request/prepare-remotely.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { buildSubmitApp } from '#functions/build-submit/app.ts';
import { prepareApp } from '#functions/prepare/app.ts';
import { noArtifacts } from '#functions/store/no-artifacts.ts';
import { httpApp } from '#http/http-app.ts';
import { type NodeServer, serveNode } from '#http/serve-node.ts';
import { jsonLog } from '#observe/log.ts';
import { answering, type FaultyServer, faultyServer, hangingUp, passingOn, silent } from '#test/services/faulty-server.ts';
import { fewerDefaults } from '#test/support/fewer-defaults.ts';
import { startTestServer } from '#test/support/test-server.ts';
import { HOUR, wallClock } from '#test/support/wall-clock.ts';

const REQUEST = { version: '24.10.0', target: 'ath79/generic', profile: 'test', packages: ['luci', 'auc', '+tmux', ''] };
const LOOPBACK = { host: '127.0.0.1', port: 0 };
const log = jsonLog('silent', () => undefined);

let upstream: DemoUpstreamServer;
let prepare: NodeServer;
let parts: ReturnType<typeof prepareParts>;

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  await fewerDefaults(upstream, 'releases/23.05.5/targets/ath79/generic', ['swconfig', 'kmod-usb-chipidea2']);
  parts = prepareParts();
  prepare = await serveNode(httpApp({ log }, prepareApp(parts)), LOOPBACK);
});
afterAll(async () => {
  await prepare.close();
  await upstream.close();
});

function prepareParts() {
  const parse = buildRequestParser();
  return {
    catalogue: upstreamCatalogue({ baseUrl: upstream.url, records: memoryRecordStore(), now: () => new Date() }),
    policy: { allowDefaults: true, repositoryAllowList: ['https://example.org'], branches: DEFAULT_BRANCHES },
    parseRequest: () => parse,
    maxBodyBytes: () => 100_000,
  };
}

/** Returns a build service with its own state and the same upstream. */
function buildService(askPrepare?: AskPrepare) {
  const db = openSqlite(':memory:');
  return httpApp(
    { log },
    buildSubmitApp({
      ...parts,
      builds: sqliteBuildTable(db),
      queue: sqliteBuildQueue(db),
      positions: sqliteQueuePositions(db),
      artifacts: noArtifacts,
      maxPendingBuilds: () => 1_000,
      estimate: () => 1,
      now: () => new Date(),
      askPrepare,
    }),
  );
}

const post = async (service: ReturnType<typeof buildService>, path: string, body: unknown) => {
  const response = await service.request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Correlation-Id': 'from-the-client' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};

describe('POST /api/v1/build/prepare with a prepare service', () => {
  let faulty: FaultyServer;
  let failures: unknown[];
  beforeEach(async () => {
    faulty = await faultyServer(passingOn(prepare.url));
    failures = [];
  });
  afterEach(() => faulty.close());

  const asking = (options: { totalMs?: number; attemptMs?: number; openMs?: number } = {}) =>
    buildService(
      httpPrepareService({ url: faulty.url, totalMs: 300, attemptMs: 200, ...options, onError: (reason) => failures.push(reason) }),
    );
  const prepared = (service: ReturnType<typeof buildService>, body: unknown = REQUEST) => post(service, '/api/v1/build/prepare', body);

  it('has the limits of the design documents', () => {
    expect([PREPARE_TOTAL_MS, FAILURES_TO_OPEN, OPEN_MS]).toEqual([5_000, 5, 60_000]);
  });

  it('asks the service, with the correlation id and without private fields, and gives the same answer as without it', async () => {
    const request = { ...REQUEST, defaults: 'echo secret', repositories: { own: 'https://example.org/feed' }, client: 'me/1' };
    const answer = await prepared(asking({ totalMs: 5_000, attemptMs: 5_000 }), request);
    expect(answer).toEqual(await prepared(buildService(), request));
    expect(JSON.parse(answer.text)).toMatchObject({ changes: [{ from_package: 'auc', to_package: 'owut' }], cache_available: false });
    expect(faulty.seen).toHaveLength(1);
    expect(faulty.seen[0]).toMatchObject({ method: 'POST', url: '/api/v1/prepare?without_forecast=true' });
    expect(faulty.seen[0]?.headers['x-correlation-id']).toBe('from-the-client');
    expect(faulty.seen[0]?.body.toString()).not.toMatch(/secret|example\.org|me\/1/);
    expect(failures).toEqual([]);
  });

  it('gives the same answer for any request, whether it resolves the packages itself or not', async () => {
    const service = asking({ totalMs: 20_000, attemptMs: 20_000 });
    const local = buildService();
    const packages = fc.subarray([
      'luci',
      'auc',
      '-auc',
      'owut',
      '+vim',
      '',
      'luci-i18n-opkg-de',
      'kmod-usb2',
      'firewall',
      'no-such-thing',
      '-ppp',
    ]);
    const request = fc.record(
      {
        version: fc.constantFrom('24.10.0', '24.10.2', '23.05.5', '25.12.0', '1.2.3'),
        target: fc.constantFrom('ath79/generic', 'x86/64', 'no/such'),
        profile: fc.constantFrom('test', 'generic', '8dev,carambola2'),
        packages,
        packages_versions: fc.constantFrom({}, { auc: '1', vim: '2' }),
        diff_packages: fc.boolean(),
        from_version: fc.constantFrom('23.05.5', '24.10.0'),
        honor_defaults: fc.boolean(),
      },
      { requiredKeys: ['version', 'target', 'profile'] },
    );
    await fc.assert(
      fc.asyncProperty(request, async (body) => {
        expect(await prepared(service, body)).toEqual(await prepared(local, body));
      }),
      { numRuns: 60 },
    );
    expect(failures).toEqual([]);
  });

  it.each([
    ['closes the connection', hangingUp],
    ['does not answer', silent],
    ['answers 500', answering(500, '{}')],
    ['answers 429', answering(429, '{}')],
    ['answers 404', answering(404, '{}')],
    ['redirects', answering(307, '', { Location: 'http://127.0.0.1:1/' })],
    ['answers a web page', answering(200, '<html>', { 'Content-Type': 'text/html' })],
    ['answers half a document', answering(200, '{"status":"prepared","resolved_packages":["lu')],
    ['answers something else', answering(200, '{"status":"ok"}')],
    ['answers too much', answering(200, `"${'x'.repeat(3 * 1024 * 1024)}"`)],
  ])('resolves the packages itself when the service %s', async (_, behaviour) => {
    faulty.behave(behaviour);
    expect(await prepared(asking())).toEqual(await prepared(buildService()));
    expect(failures).toHaveLength(1);
  });

  it.each<[string, (answer: Record<string, unknown>) => unknown]>([
    ['packages that the request does not have', (answer) => ({ ...answer, resolved_packages: ['luci', 'owut', 'tmux', 'botnet'] })],
    [
      'packages left out',
      (answer) => ({ ...answer, resolved_packages: ['luci'], prepared_request: { ...request(answer), packages: ['luci'] } }),
    ],
    ['unexplained changes', (answer) => ({ ...answer, changes: [] })],
    ['an unknown kind of change', (answer) => ({ ...answer, changes: [{ type: 'split', package: 'auc' }] })],
    ['another request', (answer) => ({ ...answer, prepared_request: { ...request(answer), version: '23.05.5' } })],
    ['invalid names', (answer) => ({ ...answer, resolved_packages: ['$(reboot)'] })],
  ])('resolves the packages itself when the answer has %s', async (_, change) => {
    faulty.behave(passingOn(prepare.url, change));
    expect(await prepared(asking({ totalMs: 5_000, attemptMs: 5_000, openMs: 60_000 }))).toEqual(await prepared(buildService()));
    expect(failures).toHaveLength(1);
  });

  it('adds the new default packages itself when the service is older than honor_defaults', async () => {
    const request = {
      ...REQUEST,
      profile: '8dev_carambola2',
      from_version: '23.05.5',
      packages: ['base-files', 'auc'],
      diff_packages: true,
      honor_defaults: true,
    };
    faulty.behave(async (incoming, response, body) => {
      const { honor_defaults: _, ...known } = JSON.parse(body.toString());
      await passingOn(prepare.url)(incoming, response, Buffer.from(JSON.stringify(known)));
    });
    const answer = await prepared(asking({ totalMs: 5_000, attemptMs: 5_000 }), request);
    expect(answer).toEqual(await prepared(buildService(), request));
    const { changes } = JSON.parse(answer.text) as { changes: { action: string }[] };
    expect(changes.map(({ action }) => action)).toEqual(['replace', 'add', 'add']);
    expect(failures).toEqual([]);
  });

  it('accepts an answer with unknown fields', async () => {
    faulty.behave(passingOn(prepare.url, (answer) => ({ ...answer, api_version: 2, resolved_packages_count: 3 })));
    expect(await prepared(asking({ totalMs: 5_000, attemptMs: 5_000 }))).toEqual(await prepared(buildService()));
    expect(failures).toEqual([]);
  });

  it('tries again, and accepts a late success', async () => {
    let attempts = 0;
    faulty.behave((...call) => (++attempts < 3 ? hangingUp(...call) : passingOn(prepare.url)(...call)));
    expect((await prepared(asking({ totalMs: 20_000, attemptMs: 20_000 }))).status).toBe(200);
    expect(attempts).toBe(3);
    expect(failures).toEqual([]);
  });

  it('refuses what the prepare service refuses, in the same words, without counting it as a failure', async () => {
    const service = asking({ totalMs: 5_000, attemptMs: 5_000 });
    for (let i = 0; i < 2 * FAILURES_TO_OPEN; i += 1)
      expect((await prepared(service, { ...REQUEST, profile: 'nobodys' })).status).toBe(400);
    expect(faulty.seen).toHaveLength(2 * FAILURES_TO_OPEN);
    expect(failures).toEqual([]);
  });

  it('stops asking after five failures, makes one attempt after a pause, and asks again after a success', async () => {
    const openMs = 1_000;
    const service = asking({ openMs, totalMs: 5_000, attemptMs: 5_000 });
    faulty.behave(answering(500, '{}'));
    for (let i = 0; i < 6; i += 1) expect((await prepared(service)).status).toBe(200);
    expect(faulty.seen).toHaveLength(FAILURES_TO_OPEN);

    // After the pause, the one attempt is kept waiting. Meanwhile all other requests are answered without the service.
    let letThrough: () => void = () => undefined;
    const hold = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    faulty.behave(async (...call) => {
      await hold;
      await passingOn(prepare.url)(...call);
    });
    await new Promise((resolve) => setTimeout(resolve, openMs + 10));
    const probe = prepared(service);
    await expect.poll(() => faulty.seen.length).toBe(FAILURES_TO_OPEN + 1);
    const others = await Promise.all(Array.from({ length: 8 }, () => prepared(service)));
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
    expect(faulty.seen).toHaveLength(FAILURES_TO_OPEN + 1);
    letThrough();
    expect((await probe).status).toBe(200);
    await prepared(service);
    expect(faulty.seen).toHaveLength(FAILURES_TO_OPEN + 2);
  });

  it('is asked again after the pause, even if the clock was set back meanwhile', async () => {
    const clock = wallClock();
    try {
      const service = asking({ openMs: 500, totalMs: 5_000, attemptMs: 5_000 });
      faulty.behave(answering(500, '{}'));
      for (let i = 0; i < 2; i += 1) await prepared(service);
      clock.step(-HOUR);
      faulty.behave(passingOn(prepare.url));
      await expect.poll(async () => (await prepared(service)) && faulty.seen.length).toBeGreaterThan(FAILURES_TO_OPEN);
    } finally {
      clock.restore();
    }
  });

  it('does not ask the service for POST /api/v1/build', async () => {
    expect((await post(asking(), '/api/v1/build', REQUEST)).status).toBe(202);
    expect(faulty.seen).toEqual([]);
  });
});

it('the standalone server asks a prepare service too, if its settings name one', async () => {
  const faulty = await faultyServer(passingOn(prepare.url));
  const server = await startTestServer({ env: { PREPARE_SERVICE_URL: faulty.url } });
  try {
    const answer = await (await server.post('/api/v1/build/prepare', REQUEST)).json();
    expect(faulty.seen).toHaveLength(1);
    faulty.behave(hangingUp);
    expect(await (await server.post('/api/v1/build/prepare', REQUEST)).json()).toEqual(answer);
    expect(answer).toMatchObject({ resolved_packages: ['luci', 'tmux', 'owut'] });
  } finally {
    await server.close();
    await faulty.close();
  }
});

const request = (answer: Record<string, unknown>) => answer['prepared_request'] as Record<string, unknown>;
