import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog } from '#observe/log.ts';
import { loadConfig } from '#standalone/config.ts';
import { liveSettings } from '#standalone/live-settings.ts';
import { type Standalone, startStandalone } from '#standalone/server.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const [ALICE, BOB, CAROL] = ['198.51.100.1', '203.0.113.7', '192.0.2.9'] as const;
const LIMITS = { MAX_PENDING_JOBS: '10', MAX_PENDING_PER_CLIENT: '3', TRUSTED_PROXIES: '127.0.0.1' };

let names = 0;
/** A request that is equal to no other. */
const fresh = () => {
  names += 1;
  return { ...X86, rootfs_size_mb: 100 + names };
};
const statusAt = async (url: string, from: string, body: object = fresh()) => {
  const response = await fetch(`${url}/api/v1/build`, { method: 'POST', headers: { 'X-Forwarded-For': from }, body: JSON.stringify(body) });
  await response.body?.cancel();
  return response.status;
};

/** The share of the queue that one client may have, on the standalone server. */
describe('one client and the queue', () => {
  let server: TestServer;
  let release = () => {};
  afterEach(async () => {
    release();
    await server.close();
  });

  /** Unless a test says otherwise, no runner takes a build: every build waits. */
  const start = async (env: Record<string, string> = {}) => {
    server = await startTestServer({ env: { ...LIMITS, WORKER_CONCURRENT: '0', ...env } });
  };
  /** A runner that makes one build at a time and finishes none before `release`. */
  const startHolding = async (act: () => void = () => undefined) => {
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server = await startTestServer({
      env: { ...LIMITS, RETRY_DELAYS: '1' },
      imageMaker: scriptedImageMaker({ act: () => held.then(act) }),
    });
  };

  const ask = (from: string, body: object = fresh()) => server.post('/api/v1/build', body, { 'X-Forwarded-For': from });
  const status = (from: string, body?: object) => statusAt(server.url, from, body);
  const statuses = async (from: string, count: number) => {
    const all: number[] = [];
    for (let i = 0; i < count; i += 1) all.push(await status(from));
    return all;
  };
  const refusals = async (reason: string) => {
    const metrics = await (await server.get('/metrics')).text();
    return Number(new RegExp(`^asu_refused_requests_total\\{reason="${reason}",service="standalone"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
  };
  const waiting = async () => ((await (await server.get('/api/v1/stats')).json()) as { queue_length: number }).queue_length;

  it('that has used its share is refused with 429 and Retry-After while others wait, and the others are not', async () => {
    await start();
    expect([await refusals('client-share'), await refusals('queue-full'), await refusals('rate')]).toEqual([0, 0, 0]);
    expect(await statuses(ALICE, 3)).toEqual([202, 202, 202]);
    expect(await statuses(BOB, 2)).toEqual([202, 202]);
    const refused = await ask(ALICE);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await refused.json()).toEqual({
      status: 429,
      title: 'Too Many Requests',
      detail: 'Too Many Requests: 3 builds from your address are under way while other clients wait; try again in 60 s',
    });
    expect(await refusals('client-share')).toBe(1);
    expect(await statuses(BOB, 2)).toEqual([202, 429]);
  });

  it('may fill the queue while it is alone, and others still get their share', async () => {
    await start();
    // The check allows one build past the limit.
    expect(await statuses(ALICE, 12)).toEqual([...Array(11).fill(202), 429]);
    expect(await refusals('queue-full')).toBe(1);
    expect(await statuses(BOB, 4)).toEqual([202, 202, 202, 429]);
    expect(await statuses(CAROL, 4)).toEqual([202, 202, 202, 429]);
    expect(await status(ALICE)).toBe(429);
    expect(await refusals('client-share')).toBe(3);
    // With three of each, nine builds count, and eleven may.
    expect(await statuses('192.0.2.10', 3)).toEqual([202, 202, 429]);
    const full = await ask('192.0.2.11');
    expect([full.status, ((await full.json()) as { title: string }).title]).toEqual([429, 'Server overloaded']);
  });

  it('is not charged for a build that another client began, or for a finished one', async () => {
    await startHolding();
    expect(await status(CAROL)).toBe(202);
    await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
    const [one, two] = [fresh(), fresh()];
    expect([await status(BOB, one), await status(BOB, two)]).toEqual([202, 202]);
    expect([await status(ALICE, one), await status(ALICE, two)]).toEqual([202, 202]);
    expect(await statuses(ALICE, 4)).toEqual([202, 202, 202, 429]);
    expect([await status(ALICE, one), await status(ALICE, two)]).toEqual([202, 202]);
    release();
    await expect.poll(() => status(ALICE, two), { timeout: 20_000 }).toBe(200);
  });

  it.each([
    ['done', () => undefined],
    [
      'failed',
      () => {
        throw new Error('a bug');
      },
    ],
  ])('has what ended given back, and what is being built not: %s', async (_, act) => {
    await startHolding(act);
    expect(await status(ALICE)).toBe(202);
    await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
    expect(await status(BOB)).toBe(202);
    expect(await statuses(ALICE, 3)).toEqual([202, 202, 429]);
    release();
    await expect.poll(() => status(ALICE), { timeout: 20_000 }).toBe(202);
  });

  it('is a whole /64 network in IPv6', async () => {
    await start();
    expect(await status(BOB)).toBe(202);
    expect([await status('2001:db8::1'), await status('2001:db8::2'), await status('2001:db8::3:4')]).toEqual([202, 202, 202]);
    expect([await status('2001:db8::5'), await status('2001:db8:0:1::1')]).toEqual([429, 202]);
  });

  it('is also held back when it asks for many at once, and equal requests count once', async () => {
    await start({ MAX_PENDING_JOBS: '100' });
    expect(await status(BOB)).toBe(202);
    const many = await Promise.all(Array.from({ length: 20 }, () => status(ALICE)));
    expect(many.sort()).toEqual([202, 202, 202, ...Array(17).fill(429)]);
    const [one, two, three] = [fresh(), fresh(), fresh()];
    const equal = await Promise.all(Array.from({ length: 21 }, (_, i) => status(CAROL, [one, two, three][i % 3])));
    expect(new Set(equal)).toEqual(new Set([202]));
  });

  it('may fill the queue while others wait where the share is 0', async () => {
    await start({ MAX_PENDING_PER_CLIENT: '0' });
    expect(await status(BOB)).toBe(202);
    expect(await statuses(ALICE, 11)).toEqual([...Array(10).fill(202), 429]);
    expect(await status(CAROL)).toBe(429);
  });

  it('gets a new share on reload, and is told apart anew when other proxies are trusted', async () => {
    await start();
    expect(await status(BOB)).toBe(202);
    expect(await statuses(ALICE, 4)).toEqual([202, 202, 202, 429]);
    const env = { ...LIMITS, ASU_DATA_DIR: server.dataDir, UPSTREAM_URL: server.upstream.url };
    server.reconfigure(loadConfig({}, { ...env, MAX_PENDING_PER_CLIENT: '4' }));
    expect(await statuses(ALICE, 2)).toEqual([202, 429]);
    server.reconfigure(loadConfig({}, { ...env, TRUSTED_PROXIES: '' }));
    // Every client now has the address of this machine, for which no build waits yet.
    expect(await statuses(ALICE, 4)).toEqual([202, 202, 202, 429]);
  });

  it('never has its address stored', async () => {
    await start();
    expect(await statuses(ALICE, 3)).toEqual([202, 202, 202]);
    expect(await status(BOB)).toBe(202);
    expect(await status(ALICE)).toBe(429);
    const secret = await readFile(join(server.dataDir, 'client-secret'));
    expect([secret.length, (await stat(join(server.dataDir, 'client-secret'))).mode & 0o777]).toEqual([32, 0o600]);
    const files = (await readdir(server.dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const { name, parentPath } of files) {
      const bytes = await readFile(join(parentPath, name));
      for (const address of [ALICE, BOB]) expect([name, bytes.includes(address)]).toEqual([name, false]);
      if (name === 'client-secret') continue;
      for (const text of [secret, secret.toString('hex'), secret.toString('base64')])
        expect([name, bytes.includes(text)]).toEqual([name, false]);
    }
    for (const address of [ALICE, BOB]) expect(server.lines.join('')).not.toContain(address);
  });
});

describe('a server that is started again', () => {
  let upstream: DemoUpstreamServer;
  let dataDir: string;
  let server: Standalone;
  afterEach(async () => {
    await server.close();
    await upstream.close();
  });

  it('knows which client each waiting and each started build belongs to', async () => {
    upstream = await serveDemoUpstream();
    dataDir = await temporaryDirectory();
    const start = (workers: string) =>
      startStandalone(
        loadConfig({}, { ...LIMITS, UPSTREAM_URL: upstream.url, ASU_DATA_DIR: dataDir, PORT: '0', WORKER_CONCURRENT: workers }),
        {
          log: jsonLog('silent', () => undefined),
          imageMaker: scriptedImageMaker({
            act: (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
          }),
          isAlone: true,
        },
      );
    server = await start('1');
    expect([await statusAt(server.url, ALICE), await statusAt(server.url, ALICE)]).toEqual([202, 202]);
    expect(await statusAt(server.url, BOB)).toBe(202);
    await server.close();
    server = await start('0');
    expect([await statusAt(server.url, ALICE), await statusAt(server.url, ALICE)]).toEqual([202, 429]);
    expect([await statusAt(server.url, BOB), await statusAt(server.url, BOB)]).toEqual([202, 202]);
  });
});

it('the share is a tenth of the queue by default, and at least one build', () => {
  const share = (env: Record<string, string>) => liveSettings(loadConfig({}, env)).maxPendingPerClient();
  expect([{}, { MAX_PENDING_JOBS: '55' }, { MAX_PENDING_JOBS: '0' }].map(share)).toEqual([100, 5, 1]);
  expect([{ MAX_PENDING_PER_CLIENT: '7' }, { MAX_PENDING_PER_CLIENT: '0' }].map(share)).toEqual([7, 0]);
});
