import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '#standalone/config.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };

/** The limit of new builds per client, on the standalone server. */
describe('new builds are limited', () => {
  let server: TestServer;
  let release = () => {};
  afterEach(async () => {
    release();
    await server.close();
  });

  const start = async (env: Record<string, string> = {}) => {
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const limits = { RATE_LIMIT_BUILDS_PER_HOUR: '1', RATE_LIMIT_BUILDS_BURST: '2', TRUSTED_PROXIES: '127.0.0.1', ...env };
    server = await startTestServer({ env: limits, imageMaker: scriptedImageMaker({ act: () => held }) });
  };
  const ask = (name: string, from = '198.51.100.1', more: object = {}) =>
    server.post('/api/v1/build', { ...X86, packages: [name], ...more }, { 'X-Forwarded-For': from });
  const statusOf = async (name: string, from?: string, more?: object) => (await ask(name, from, more)).status;

  it('per client, with 429 and Retry-After, while known builds are still answered', async () => {
    await start();
    expect([await statusOf('vim'), await statusOf('tmux')]).toEqual([202, 202]);
    const refused = await ask('htop');
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('Retry-After'));
    expect(seconds).toBeGreaterThan(3_000);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await refused.json()).toEqual({
      status: 429,
      title: 'Too Many Requests',
      detail: `Too Many Requests: too many new builds from your address; try again in ${seconds} s`,
    });
    // The client has used its limit up, and may still join a build, poll and prepare.
    expect([await statusOf('vim'), await statusOf('tmux')]).toEqual([202, 202]);
    const { request_hash: hash } = (await (await ask('vim')).json()) as { request_hash: string };
    expect((await server.get(`/api/v1/build/${hash}`)).status).toBe(202);
    expect((await server.post('/api/v1/build/prepare', { ...X86, packages: ['nano'] })).status).toBe(200);
    // Another client has its own limit.
    expect(await statusOf('htop', '198.51.100.2')).toBe(202);
    release();
    await expect.poll(() => statusOf('vim')).toBe(200);
    await expect.poll(() => statusOf('htop')).toBe(200);
    expect(await statusOf('nano')).toBe(429);
    const metrics = await (await server.get('/metrics')).text();
    expect(metrics).toMatch(/^asu_requests_total\{outcome="new"\} 3$/m);
    expect(metrics).toMatch(/^asu_requests_total\{outcome="rejected"\} 2$/m);
  });

  it('and requests that join a build, are invalid or are refused for another reason cost nothing', async () => {
    await start({ MAX_PENDING_JOBS: '0' });
    expect(await statusOf('vim')).toBe(202);
    for (let i = 0; i < 5; i += 1) expect(await statusOf('vim')).toBe(202);
    expect(await statusOf('no-such-package')).toBe(422);
    expect(await statusOf('tmux', undefined, { version: '99.99.99' })).toBe(400);
    await expect.poll(async () => ((await (await ask('vim')).json()) as { detail: string }).detail).toBe('started');
    expect(await statusOf('tmux')).toBe(202);
    // The queue is full as well, and the answer names the full queue.
    const full = await ask('htop', '198.51.100.3');
    expect([full.status, ((await full.json()) as { title: string }).title]).toEqual([429, 'Server overloaded']);
    release();
    await expect.poll(() => statusOf('tmux')).toBe(200);
    for (const name of ['htop', 'nano']) await expect.poll(() => statusOf(name, '198.51.100.3')).toBe(200);
  });

  it('also when many requests come at once: equal ones count once, others are held back', async () => {
    await start();
    const equal = await Promise.all(Array.from({ length: 20 }, () => statusOf('vim')));
    expect(new Set(equal)).toEqual(new Set([202]));
    const names = ['tmux', 'htop', 'nano', 'luci', 'auc'];
    expect((await Promise.all(names.map((name) => statusOf(name)))).sort()).toEqual([202, 429, 429, 429, 429]);
  });

  it('by the address of the connection when no proxy is trusted', async () => {
    await start({ TRUSTED_PROXIES: '', RATE_LIMIT_BUILDS_BURST: '1' });
    expect([await statusOf('vim', '198.51.100.1'), await statusOf('tmux', '198.51.100.2')]).toEqual([202, 429]);
  });

  it('and a running server takes new limits on reload', async () => {
    await start({ RATE_LIMIT_BUILDS_BURST: '1' });
    expect([await statusOf('vim'), await statusOf('tmux')]).toEqual([202, 429]);
    const env = { ASU_DATA_DIR: server.dataDir, UPSTREAM_URL: server.upstream.url };
    server.reconfigure(loadConfig({}, { ...env, RATE_LIMIT_BUILDS_PER_HOUR: '0' }));
    expect([await statusOf('tmux'), await statusOf('htop')]).toEqual([202, 202]);
  });
});

it('new builds are not limited unless asked for: behind a proxy on the same machine all clients have its address', () => {
  expect(loadConfig({}, {})).toMatchObject({ RATE_LIMIT_BUILDS_PER_HOUR: 0, TRUSTED_PROXIES: [] });
});
