import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoOtherKey, demoUpstreamKey } from '#demo/upstream/key.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const ASKED = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };
const OTHER = { ...ASKED, distro: 'otherwrt' };
const BRANCHES = { '24.10': { path: 'releases/{version}' } };

/** The settings of a server that has the demo's other distribution under several names. */
const distros = (url: string) =>
  JSON.stringify({
    otherwrt: {
      upstream_url: `${url}/otherwrt`,
      trusted_keys: [demoOtherKey.base64],
      repository_hosts: ['downloads.otherwrt.example'],
      branches: BRANCHES,
    },
    'with-wrong-key': {
      upstream_url: `${url}/otherwrt`,
      imagebuilder_prefix: 'otherwrt-imagebuilder-',
      trusted_keys: [demoUpstreamKey.base64],
      repository_hosts: ['downloads.otherwrt.example'],
      branches: BRANCHES,
    },
    misnamed: { upstream_url: `${url}/otherwrt`, branches: BRANCHES },
  });

let server: TestServer;
let otherUrl: string;
let close: () => Promise<void>;
beforeAll(async () => {
  const upstream = await serveDemoUpstream();
  otherUrl = `${upstream.url}/otherwrt`;
  server = await startTestServer({
    realImages: { downloadAttempts: 1 },
    env: { DISTROS: distros(upstream.url), VERIFY: 'require', RETRY_DELAYS: '1s' },
  });
  close = async () => {
    await server.close();
    await upstream.close();
  };
});
afterAll(() => close());

const json = async (response: Response) => ({ status: response.status, body: (await response.json()) as Record<string, unknown> });
const get = async (path: string) => json(await server.get(path));

describe('a second distribution', () => {
  it('is built with its own ImageBuilder, signed with its own key, and its own packages', async () => {
    const { status, body } = await server.build(OTHER);
    expect([status, Object.keys(body['manifest'] as object)]).toEqual([200, expect.arrayContaining(['vim', 'base-files'])]);
    const inputs = Object.keys(body['inputs'] as object);
    expect(inputs).toContain('releases/24.10.2/targets/x86/64/otherwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst');
    expect(inputs.filter((name) => name.includes('://'))).toEqual([]);
    expect(body['reproduce']).toContain(`${otherUrl}/releases/24.10.2/targets/x86/64/otherwrt-imagebuilder-`);
    expect(body['reproduce']).toContain('# otherwrt 24.10.2');
  });

  it('is refused where only the key of another distribution is trusted, and OpenWrt’s keys are not', async () => {
    // The ImageBuilder is in the cache, and its signature has just been found good for the other name.
    for (const packages of [
      ['vim', 'htop'],
      ['vim', 'tmux'],
    ])
      expect((await server.build({ ...OTHER, packages })).status).toBe(200);
    const { status, body } = await server.build({ ...OTHER, distro: 'with-wrong-key' });
    expect([status, body['detail']]).toEqual([500, expect.stringContaining(`signed by the unknown key ${demoOtherKey.id}`)]);
  });

  it('has another hash than OpenWrt, whose hash is the same as without it', async () => {
    const hashOf = async (asked: object) => (await json(await server.post('/api/v1/build/prepare', asked))).body['request_hash'];
    const [openwrt, named, other] = [await hashOf(ASKED), await hashOf({ ...ASKED, distro: 'openwrt' }), await hashOf(OTHER)];
    const alone = await startTestServer();
    try {
      const answer = await json(await alone.post('/api/v1/build/prepare', ASKED));
      expect(answer.body['request_hash']).toBe(openwrt);
    } finally {
      await alone.close();
    }
    expect(named).toBe(openwrt);
    expect(other).not.toBe(openwrt);
  });

  it('offers its own versions, and an unknown one is refused with the names of all', async () => {
    const refusal = async (asked: object) => (await json(await server.post('/api/v1/build', asked))).body['detail'];
    expect(await refusal({ ...OTHER, version: '23.05.5' })).toBe('Unsupported branch: 23.05.5');
    expect(await refusal({ ...OTHER, version: '24.10.0' })).toBe('Unsupported version: 24.10.0');
    expect(await refusal({ ...OTHER, target: 'ath79/generic' })).toContain('Unsupported target: ath79/generic');
    expect(await refusal({ ...OTHER, distro: 'nowrt' })).toBe(
      'Unsupported distro: nowrt. This server has openwrt, otherwrt, with-wrong-key, misnamed',
    );
  });

  it('says so when its ImageBuilder has another name than the settings say', async () => {
    const { body } = await json(await server.post('/api/v1/build', { ...OTHER, distro: 'misnamed' }));
    expect(body['detail']).toContain('otherwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst, which is none of misnamed');
    expect(body['detail']).not.toContain('few hours');
  });

  it('has its own documents, and those of OpenWrt know nothing of it', async () => {
    const own = await get('/json/v1/distros/otherwrt/overview.json');
    expect(own.body).toMatchObject({
      latest: ['24.10.2'],
      branches: { '24.10': { versions: expect.arrayContaining(['24.10.2']), targets: { 'x86/64': 'x86_64' } } },
      upstream_url: expect.stringMatching(/\/otherwrt$/),
    });
    expect((await get('/json/v1/distros/otherwrt/branches.json')).body).toMatchObject([{ name: '24.10' }]);
    expect((await get('/json/v1/distros/otherwrt/latest.json')).body).toEqual({ latest: ['24.10.2'] });
    const target = '/json/v1/distros/otherwrt/releases/24.10.2/targets/x86/64';
    expect((await get(`${target}/index.json`)).body).toMatchObject({ architecture: 'x86_64' });
    expect((await get(`${target}/generic.json`)).body).toMatchObject({ id: 'generic', version_code: 'r28739-d9340319c6' });
    expect((await get('/json/v1/distros/otherwrt/releases/24.10.2/packages/x86_64-index.json')).body).toHaveProperty('vim');
    expect((await server.get('/json/v1/distros/nowrt/overview.json')).status).toBe(404);
    expect((await server.get('/json/v1/distros/otherwrt/other.json')).status).toBe(404);
    const standard = await get('/json/v1/overview.json');
    expect(standard.body['upstream_url']).toBe(server.upstream.url);
    expect(JSON.stringify(standard.body)).not.toContain('otherwrt');
  });

  it('has the documents of its main line, where its branches have one', async () => {
    const other = { upstream_url: otherUrl, branches: { SNAPSHOT: { path: 'snapshots' } } };
    const alone = await startTestServer({ env: { DISTROS: JSON.stringify({ otherwrt: other }) } });
    try {
      const document = async (path: string) => (await alone.get(`/json/v1/distros/otherwrt/snapshots/${path}`)).json();
      expect(await document('targets/x86/64/index.json')).toMatchObject({ architecture: 'x86_64' });
      expect(await document('targets/x86/64/generic.json')).toMatchObject({ id: 'generic', version_number: 'SNAPSHOT' });
      expect(await document('packages/x86_64-index.json')).toHaveProperty('vim');
    } finally {
      await alone.close();
    }
  });

  it('is counted under its own name', async () => {
    await server.build(OTHER);
    const until = performance.now() + 10_000;
    let text = '';
    while (!text.includes('otherwrt/24.10.2') && performance.now() < until)
      text = await (await server.get('/api/v1/builds-by-version?branch=otherwrt')).text();
    expect(JSON.parse(text)).toMatchObject({ datasets: [{ label: 'otherwrt/24.10.2' }] });
  });
});
