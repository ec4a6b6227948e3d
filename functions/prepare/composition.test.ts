import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { httpApp } from '#http/http-app.ts';
import { jsonLog } from '#observe/log.ts';
import { composePrepare } from './composition.ts';
import { loadConfig } from './config.ts';

let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());

const nothing = () => undefined;

it('prepares requests for another distribution from its own upstream', async () => {
  const otherwrt = { upstream_url: `${upstream.url}/otherwrt`, branches: { '24.10': { path: 'releases/{version}' } } };
  const config = loadConfig({ CATALOGUE_URL: upstream.url, DISTROS: JSON.stringify({ otherwrt }) });
  const log = jsonLog('silent', nothing);
  const { routes } = composePrepare(config, { log, metrics: { onUpstream: nothing, onRequest: nothing, onSwept: nothing } });
  const app = httpApp({ log, onAnswered: nothing }, ...routes);
  const prepare = async (asked: object) => {
    const body = JSON.stringify({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'], ...asked });
    const response = await app.request('/api/v1/prepare', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  upstream.clearRequests();
  expect(await prepare({ distro: 'otherwrt' })).toMatchObject({ status: 200, body: { resolved_packages: ['vim'] } });
  expect(upstream.requests.filter(({ path }) => !path.startsWith('/otherwrt/'))).toEqual([]);
  // Its package manager was never compared with the solver.
  const impossible = { packages: ['foe-a', 'foe-b'] };
  expect((await prepare({ distro: 'otherwrt', ...impossible })).body).toMatchObject({ verdict: 'unsure', problems: [expect.any(Object)] });
  expect((await prepare(impossible)).body).toMatchObject({ verdict: 'no' });
  expect((await prepare({})).status).toBe(200);
  expect(await prepare({ distro: 'nowrt' })).toMatchObject({
    status: 400,
    body: { detail: 'Unsupported distro: nowrt. This server has openwrt, otherwrt' },
  });
});
