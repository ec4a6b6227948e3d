import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_STEPS } from '#core/build/build.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import type { Answer, Asked } from '#test/support/ask.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const ATH79 = { version: '24.10.2', target: 'ath79/generic', profile: '8dev_carambola2' };
const ORIGIN = { Origin: 'http://192.168.1.1' };

/** Makes builds with `htop` fail, and all others wait in their last step until they are released. */
function gatedImageMaker() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const maker: ImageMaker = scriptedImageMaker({
    act: async ({ request }) => {
      if (request.packages.includes('htop'))
        throw new BuildFailure('Selected packages exceed device storage', { stdout: 'o', stderr: 'e' });
      if (request.packages.includes('slow-30')) await opened;
    },
  });
  return { maker, open };
}

type Json = Record<string, unknown>;

let server: TestServer;
let gate: ReturnType<typeof gatedImageMaker>;
beforeAll(async () => {
  gate = gatedImageMaker();
  server = await startTestServer({
    imageMaker: gate.maker,
    env: { WORKER_CONCURRENT: '1', MAX_PENDING_JOBS: '1', CATALOGUE_REFRESH: '600' },
  });
});
afterAll(async () => {
  gate.open();
  await server.close();
});

const ask = (path: string, asked?: Asked) => server.ask(path, asked);
const json = ({ text }: Answer) => JSON.parse(text) as Json;
const post = (body: unknown, path = '/api/v1/build', headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
const pollUntil = async (hash: unknown, isReached: (answer: Answer) => boolean): Promise<Answer> => {
  for (;;) {
    const answer = await ask(`/api/v1/build/${hash}`);
    if (isReached(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const ended = ({ status }: Answer) => status !== 202;
const built = async (body: object): Promise<Json> => json(await pollUntil(json(await post(body))['request_hash'], ended));
const imageOf = (body: Json) => {
  const [image] = body['images'] as { name: string; sha256: string }[];
  return { name: image?.name ?? '', sha256: image?.sha256 ?? '', path: `/store/${body['bin_dir']}/${image?.name}` };
};

/** The rows of docs/contract.md §9, by number. */
describe('what breaks a client when a server gets it wrong', () => {
  it('1: posts in pieces without a length are read, and nothing is compressed', async () => {
    const text = JSON.stringify({ ...X86, packages: ['vim'] });
    const chunks = Array.from({ length: text.length }, (_, index) => text.charAt(index));
    const posted = await ask('/api/v1/build', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: chunks });
    expect(posted.status).toBe(202);
    for (const path of [
      '/json/v1/overview.json',
      '/json/v1/releases/24.10.2/targets/x86/64/index.json',
      `/api/v1/build/${'0'.repeat(64)}`,
    ]) {
      const answer = await ask(path);
      expect(answer.header('content-encoding')).toBeUndefined();
      expect(Number(answer.header('content-length'))).toBe(answer.bytes.length);
    }
  });

  it('2: the body has an integer status, that of HTTP', async () => {
    const done = await built({ ...X86, packages: ['vim'] });
    const answers = {
      accepted: await post({ ...X86, packages: ['vim', 'tmux'] }),
      done: await ask(`/api/v1/build/${done['request_hash']}`),
      failed: await pollUntil(json(await post({ ...X86, packages: ['htop'] }))['request_hash'], ended),
      refused: await post({ ...X86, version: '99.99.99' }),
      invalid: await post({ ...X86, packages: 'vim' }),
      unknownPackage: await post({ ...X86, packages: ['no-such'] }),
      tooLarge: await post({ client: 'x'.repeat(300_000) }),
      unknown: await ask(`/api/v1/build/${'0'.repeat(64)}`),
      notAllowed: await ask('/api/v1/build'),
    };
    const found = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, [answer.status, json(answer)['status']]]));
    expect(found).toEqual({
      accepted: [202, 202],
      done: [200, 200],
      failed: [500, 500],
      refused: [400, 400],
      invalid: [422, 422],
      unknownPackage: [422, 422],
      tooLarge: [413, 413],
      unknown: [404, 404],
      notAllowed: [405, 405],
    });
  });

  it('3: the result has the whole request', async () => {
    const { request } = await built({ ...X86, packages: ['vim'], rootfs_size_mb: 128 });
    expect(request).toEqual({
      distro: 'openwrt',
      ...X86,
      version_code: '',
      packages: ['vim'],
      packages_versions: {},
      diff_packages: false,
      defaults: null,
      rootfs_size_mb: 128,
      filesystem: null,
      repositories: {},
      repositories_mode: 'replace',
      repository_keys: [],
      client: null,
    });
  });

  it('4, 10, 12: POST, HEAD and GET tell waiting from building, and POST never waits for the build', async () => {
    // The one worker is held; the next build waits.
    const first = await post({ ...X86, packages: ['slow-30'] });
    expect(first.status).toBe(202);
    const { request_hash: building } = json(first);
    await pollUntil(building, (answer) => answer.header('x-imagebuilder-status') === 'building_image');
    const second = await post({ ...X86, packages: ['slow-30', 'vim'] });
    const { request_hash: waiting } = json(second);

    for (const method of ['POST', 'GET', 'HEAD'] as const) {
      const about = (hash: unknown, packages: string[]) =>
        method === 'POST' ? post({ ...X86, packages }) : ask(`/api/v1/build/${hash}`, { method });
      const one = await about(building, ['slow-30']);
      expect([one.status, one.header('x-imagebuilder-status'), one.header('x-queue-position')]).toEqual([202, 'building_image', '0']);
      const other = await about(waiting, ['slow-30', 'vim']);
      expect([other.status, other.header('x-imagebuilder-status'), other.header('x-queue-position')]).toEqual([202, 'queued', '0']);
      if (method === 'HEAD') {
        expect(one.bytes.length).toBe(0);
        continue;
      }
      expect(json(one)).not.toHaveProperty('queue_position');
      expect(json(one)).toMatchObject({ detail: 'started', imagebuilder_status: 'building_image', request: X86 });
      expect(json(other)).toMatchObject({ detail: 'queued', queue_position: 0 });
      expect(json(other)).not.toHaveProperty('imagebuilder_status');
    }
    expect(BUILD_STEPS).toEqual(['init', 'download_imagebuilder', 'unpack_imagebuilder', 'calculate_packages_hash', 'building_image']);

    // While the queue is full, every client can tell a waiting build from a refused one (docs/contract.md §10.4).
    await post({ ...X86, packages: ['slow-30', 'tmux'] });
    const refused = await post({ ...X86, packages: ['slow-30', 'nano'] });
    expect([refused.status, json(refused)['status'], typeof json(refused)['detail']]).toEqual([429, 429, 'string']);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);

    gate.open();
    const done = await pollUntil(building, ended);
    expect([done.status, done.header('x-imagebuilder-status'), done.header('x-queue-position')]).toEqual([200, 'done', '0']);
    expect((await pollUntil(waiting, ended)).status).toBe(200);
  });

  it('5, 6: an image comes with its length, at once, under its own name', async () => {
    const body = await built({ ...X86, packages: ['vim'] });
    const { name, sha256, path } = imageOf(body);
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(path, { method });
      expect(answer.status).toBe(200);
      expect(Number(answer.header('content-length'))).toBeGreaterThan(0);
      if (method === 'HEAD') continue;
      expect(Number(answer.header('content-length'))).toBe(answer.bytes.length);
      expect(createHash('sha256').update(answer.bytes).digest('hex')).toBe(sha256);
      expect(answer.header('content-type')).toBe('application/octet-stream');
      expect(answer.header('content-disposition')).toBe(`attachment; filename="${name}"`);
    }
    expect(path).not.toContain('?');
    expect(path.split('/').at(-1)).toBe(name);
  });

  it('7: bin_dir and hash leave a server 90 characters for its own name', async () => {
    const body = await built({ ...X86, packages: ['vim'] });
    expect(body['bin_dir']).toMatch(/^[0-9a-f]{64}$/);
    expect(body['request_hash']).toMatch(/^[0-9a-f]{64}$/);
    // The longest name that OpenWrt has, with a release candidate's version and our part in front.
    const longest = 'openwrt-24.10.0-rc6-0123456789ab-qualcommax-ipq807x-zyxel_nbg7815-squashfs-sysupgrade.bin';
    expect(255 - `/store/${body['bin_dir']}/${longest}`.length).toBeGreaterThanOrEqual(90);
  });

  it('8: every answer allows every origin, and preflights of posts and polls are answered', async () => {
    const body = await built({ ...X86, packages: ['vim'] });
    const hash = `/api/v1/build/${body['request_hash']}`;
    const paths: [string, string, number][] = [
      ['POST', '/api/v1/build', 422],
      ['GET', '/api/v1/build', 405],
      ['GET', hash, 200],
      ['HEAD', hash, 200],
      ['GET', `/api/v1/build/${'0'.repeat(64)}`, 404],
      ['GET', imageOf(body).path, 200],
      ['GET', '/store/none', 404],
      ['GET', '/json/v1/overview.json', 200],
      ['GET', '/json/v1/branches.json', 200],
      ['GET', '/api/v1/latest', 301],
      ['GET', '//api/v1/overview', 301],
      ['GET', '/api/v1/overview/', 307],
      ['GET', '/api/v1/revision/99.99/x/y', 400],
      ['GET', '/nowhere', 404],
      ['OPTIONS', '/api/v1/build', 204],
      ['OPTIONS', hash, 204],
      ['OPTIONS', imageOf(body).path, 204],
      ['OPTIONS', '/nowhere', 204],
    ];
    for (const [method, path, status] of paths) {
      const preflight =
        method === 'OPTIONS' ? { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'content-type' } : {};
      const answer = await ask(path, { method, headers: { ...ORIGIN, ...preflight } });
      expect([method, path, answer.status]).toEqual([method, path, status]);
      const origins = answer.headerLines.filter(([name]) => name === 'access-control-allow-origin');
      expect([method, path, origins]).toEqual([method, path, [['access-control-allow-origin', '*']]]);
      if (method !== 'OPTIONS') continue;
      expect(answer.header('access-control-allow-headers')?.toLowerCase().split(', ')).toContain('content-type');
      expect(answer.header('access-control-allow-methods')?.split(', ')).toEqual(expect.arrayContaining(['GET', 'HEAD', 'POST']));
      expect(Number(answer.header('access-control-max-age'))).toBeGreaterThan(0);
    }
  });

  it('9: a time stamp as query changes nothing', async () => {
    const body = await built({ ...X86, packages: ['vim'] });
    for (const path of [
      '/api/overview',
      '/api/v1/overview',
      '/json/v1/branches.json',
      '/api/v1/revision/24.10.2/x86/64',
      '/json/v1/releases/24.10.2/targets/x86/64/index.json',
      `/api/v1/build/${body['request_hash']}`,
      imageOf(body).path,
    ]) {
      const stamped = await ask(`${path}?1763683200000`);
      const plain = await ask(path);
      expect([path, stamped.status, stamped.bytes]).toEqual([path, 200, plain.bytes]);
      // A cache may answer it as well.
      expect(stamped.header('cache-control')).toBe(plain.header('cache-control'));
      expect(stamped.header('cache-control')).toMatch(/\b(s-)?max-?age=\d+/);
    }
    const posted = await post({ ...X86, packages: ['vim'] }, '/api/v1/build?1763683200001');
    expect([posted.status, json(posted)['request_hash']]).toEqual([200, body['request_hash']]);
  });

  it('11: equal posts at the same time get one hash, whichever client sends them', async () => {
    const hashes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const packages = index % 2 === 0 ? ['nano', 'vim'] : ['vim', 'nano'];
        return json(await post({ ...X86, packages, client: `luci/${index}` }, `/api/v1/build?${index}`))['request_hash'];
      }),
    );
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(1);
  });

  it('13: the overview is still at every path that it had', async () => {
    const { text } = await ask('/json/v1/overview.json');
    for (const path of ['/api/overview', '/api/v1/overview', '/overview']) {
      const answer = await ask(path);
      expect([path, answer.status, answer.text]).toEqual([path, 200, text]);
    }
    const latest = await ask('/api/v1/latest');
    expect([latest.status, latest.header('location')]).toEqual([301, '/json/v1/latest.json']);
    expect(json(await ask('/json/v1/latest.json'))).toEqual({ latest: ['25.12.0', '24.10.2'] });
  });

  it.each([{ version: '23.05.5' }, { version: '24.10.2' }, { version: '25.12.0' }])(
    '14: index, kernel modules and ImageBuilder of $version are of one revision',
    async ({ version }) => {
      const path = `releases/${version}/targets/x86/64`;
      const { packages } = json(await ask(`/json/v1/${path}/index.json`)) as { packages: Record<string, string> };
      const profile = json(await ask(`/json/v1/${path}/generic.json`)) as { version_code: string; linux_kernel: { version: string } };
      const { revision } = json(await ask(`/api/v1/revision/${version}/x86/64`));
      expect(revision).toBe(profile.version_code);
      expect(packages['kmod-e1000e']?.startsWith(profile.linux_kernel.version)).toBe(true);
      expect(packages['base-files']).toContain(profile.version_code.split('-')[1]);
      const right = await post({ ...X86, version, version_code: revision, packages: ['vim'] });
      expect([200, 202]).toContain(right.status);
      const wrong = await post({ ...X86, version, version_code: 'r1-abc', packages: ['vim'] });
      expect(json(wrong)['detail']).toBe(`Error: Received incorrect version ${revision} (requested r1-abc)`);
    },
  );

  it('15: a board name with a comma, a supported device and any x86 board are profiles', async () => {
    const canonical = (await built({ ...ATH79, packages: ['vim'] }))['request_hash'];
    for (const profile of ['8dev,carambola2', 'carambola2'])
      expect([profile, json(await post({ ...ATH79, profile, packages: ['vim'] }))['request_hash']]).toEqual([profile, canonical]);
    const generic = (await built({ ...X86, packages: ['vim'] }))['request_hash'];
    for (const profile of ['pc-engines,apu2', 'innotek-gmbh-virtualbox', 'generic'])
      expect([profile, json(await post({ ...X86, profile, packages: ['vim'] }))['request_hash']]).toEqual([profile, generic]);
  });
});
