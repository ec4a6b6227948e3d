import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const ATH79 = { version: '24.10.2', target: 'ath79/generic', profile: '8dev_carambola2' };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { REPOSITORY_ALLOW_LIST: 'https://example.com/ok', ALLOW_DEFAULTS: '0' } });
});
afterAll(() => server.close());

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe('POST /api/v1/build', () => {
  it('accepts a build, reports its progress, and ends with the image', async () => {
    const response = await server.post('/api/v1/build', { ...X86, packages: ['vim'] });
    expect(response.status).toBe(202);
    expect(response.headers.get('X-Imagebuilder-Status')).toMatch(/^(queued|init)$/);
    expect(response.headers.get('X-Queue-Position')).toBe('0');
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await json(response)).toMatchObject({
      status: 202,
      request_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      enqueued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eta_seconds: expect.any(Number),
    });
    const done = await server.build({ ...X86, packages: ['vim'] });
    expect(done.status).toBe(200);
    expect(done.headers.get('X-Imagebuilder-Status')).toBe('done');
    expect(done.headers.get('X-Queue-Position')).toBe('0');
    expect(done.body).toMatchObject({ status: 200, detail: 'done', id: 'generic', bin_dir: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(done.body['request']).toMatchObject({
      ...X86,
      packages: ['vim'],
      distro: 'openwrt',
      defaults: null,
      repositories_mode: 'replace',
    });
  });

  it('answers POST, GET and HEAD alike', async () => {
    const { body } = await server.build({ ...X86, packages: ['tmux'] });
    const path = `/api/v1/build/${body['request_hash']}`;
    const got = await server.get(path);
    expect(await got.json()).toEqual(body);
    const head = await server.get(path, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    for (const name of ['X-Imagebuilder-Status', 'X-Queue-Position', 'Content-Length', 'Content-Type'])
      expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)]);
  });

  it('has one hash for requests that mean the same image', async () => {
    const hashes = await Promise.all(
      [
        { ...ATH79, packages: ['vim', 'tmux'] },
        { ...ATH79, packages: ['tmux', 'vim', 'vim'] },
        { ...ATH79, packages: ['+tmux', 'vim', ''] },
        { ...ATH79, profile: '8dev,carambola2', packages: ['tmux', 'vim'] },
        { ...ATH79, packages: ['tmux', 'vim'], client: 'somebody/1' },
        { ...ATH79, packages: ['tmux', 'vim'], defaults: '', repositories: {}, repository_keys: [] },
      ].map(async (body) => (await json(await server.post('/api/v1/build', body)))['request_hash']),
    );
    expect(new Set(hashes).size).toBe(1);
  });

  it.each([
    [{ ...X86, distro: 'Foobar' }, 'Unsupported distro: Foobar'],
    [{ ...X86, version: '10.10.10' }, 'Unsupported branch: 10.10.10'],
    [{ ...X86, version: '' }, 'Unsupported branch: '],
    [{ ...X86, version: '24.10.99' }, 'Unsupported version: 24.10.99'],
    [{ ...X86, version: '24.10' }, 'Unsupported version: 24.10'],
    [{ ...X86, target: 'no/such' }, expect.stringMatching(/^Unsupported target: no\/such\. The requested target/)],
    [{ ...X86, target: '/' }, expect.stringMatching(/^Unsupported target: \/\./)],
    [{ ...ATH79, profile: 'Foobar' }, expect.stringMatching(/^Unsupported profile: Foobar\. The requested profile/)],
    [{ ...X86, version_code: 'r1-abc' }, expect.stringMatching(/^Error: Received incorrect version r\S+ \(requested r1-abc\)$/)],
    [{ ...X86, defaults: 'echo' }, 'Handling `defaults` not enabled on server'],
    [{ ...X86, version: '10.10.10', defaults: 'echo' }, 'Handling `defaults` not enabled on server'],
    [{ ...X86, repositories: { a: 'https://evil.example/x' } }, 'Repository not allowed: https://evil.example/x'],
    [{ ...X86, repositories: { a: 'https://example.com/ok/../bad' } }, 'Repository not allowed: https://example.com/ok/../bad'],
    [{ ...X86, repositories: { a: 'https://example.com:8443/ok/x' } }, 'Repository not allowed: https://example.com:8443/ok/x'],
  ])('refuses %j', async (body, detail) => {
    const response = await server.post('/api/v1/build', body);
    expect(await json(response)).toEqual({ status: 400, title: 'Bad Request', detail });
    expect(response.status).toBe(400);
    expect(response.headers.get('X-Imagebuilder-Status')).toBeNull();
  });

  it('takes any profile where there is only generic', async () => {
    expect(await json(await server.post('/api/v1/build', { ...X86, profile: 'my,board' }))).toMatchObject({
      status: expect.any(Number),
      request_hash: expect.any(String),
    });
    const { body } = await server.build({ ...X86, profile: 'my,board' });
    expect(body['id']).toBe('generic');
  });

  it.each([X86, { ...X86, version: '25.12.0' }])('refuses packages that exist nowhere, at once: %j', async (base) => {
    const response = await server.post('/api/v1/build', { ...base, packages: ['vim', 'no-such-b', 'no-such-a', '-never-there'] });
    expect(response.status).toBe(422);
    expect(response.headers.get('X-Unknown-Package')?.split(' ').sort()).toEqual(['no-such-a', 'no-such-b']);
    expect(await json(response)).toMatchObject({
      status: 422,
      detail: expect.stringMatching(/^Error: Impossible package selection: missing \(no-such-[ab], no-such-[ab]\)$/),
      stderr: expect.stringMatching(/^Error: Impossible package selection: missing/),
      errors: [{ code: 'package_missing', packages: expect.arrayContaining(['no-such-a', 'no-such-b']) }],
    });
  });

  it('accepts default and device packages, kernel, libc and names with an ABI suffix', async () => {
    const packages = ['base-files', 'kernel', 'libc', 'kmod-usb2', 'dropbear', 'libubox20240329', '-ppp'];
    expect((await server.post('/api/v1/build', { ...ATH79, packages })).status).not.toBe(422);
  });

  it('answers bad input in milliseconds, and stays up', async () => {
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const [body, status] of [
      [JSON.stringify({ ...X86, packages: Array(10_000).fill('vim') }), 422],
      [JSON.stringify({ ...X86, packages: Array(10_000).fill('$(id)') }), 422],
      [nested, 422],
      [`{"packages":${nested}}`, 422],
      [`{"client":"${'x'.repeat(300_000)}"}`, 413],
    ] as const)
      expect((await server.post('/api/v1/build', body)).status).toBe(status);
    expect((await server.get('/json/v1/latest.json')).status).toBe(200);
  });

  it.each(['?1700000000000', '?a=b&c'])('ignores the query %s', async (query) => {
    const plain = await json(await server.post('/api/v1/build', { ...X86, packages: ['htop'] }));
    expect((await json(await server.post(`/api/v1/build${query}`, { ...X86, packages: ['htop'] })))['request_hash']).toBe(
      plain['request_hash'],
    );
  });
});

describe('GET /api/v1/build/{request_hash}', () => {
  it.each(['0'.repeat(64), 'testtesttest', 'abc', '..%2f..%2fetc%2fpasswd', '0'.repeat(63), 'A'.repeat(64), `${'0'.repeat(64)}%00`])(
    'does not know %s',
    async (hash) => {
      const response = await server.get(`/api/v1/build/${hash}`);
      expect(response.status).toBe(404);
      expect(await json(response)).toEqual({ status: 404, title: 'Not Found', detail: 'could not find provided request hash' });
    },
  );
  it('does not take "prepare" for a hash, and refuses POST to a hash', async () => {
    for (const [method, path, allow] of [
      ['GET', '/api/v1/build/prepare', 'POST'],
      ['GET', '/api/v1/build', 'POST'],
      ['POST', `/api/v1/build/${'0'.repeat(64)}`, 'GET, HEAD'],
    ] as const) {
      const response = await server.get(path, { method });
      expect([path, response.status, response.headers.get('Allow')]).toEqual([path, 405, allow]);
    }
  });
});

describe('two steps', () => {
  it('prepare explains, and its request builds what was shown: with the flag, without, and asked for directly', async () => {
    const asked = { version: '24.10.0', target: 'ath79/generic', profile: 'test', packages: ['luci', 'auc'] };
    const prepared = await json(await server.post('/api/v1/build/prepare', asked));
    expect(prepared).toMatchObject({
      status: 'prepared',
      original_packages: ['luci', 'auc'],
      original_diff_packages: false,
      resolved_packages: ['luci', 'owut'],
      missing: [],
      cache_available: false,
      cached_job_id: null,
      changes: [
        { type: 'migration', action: 'replace', automatic: true, from_package: 'auc', to_package: 'owut', reason: expect.any(String) },
      ],
    });
    const hashes = [];
    for (const [body, query] of [
      [prepared['prepared_request'], '?skip_package_resolution=true'],
      [prepared['prepared_request'], ''],
      [asked, ''],
    ] as const) {
      const { status, body: built } = await server.build(body as object, query);
      expect(status).toBe(200);
      expect(built['request']).toMatchObject({ packages: ['luci', 'owut'], diff_packages: false });
      hashes.push(built['request_hash']);
    }
    expect(new Set([...hashes, prepared['request_hash']]).size).toBe(1);
    expect(await json(await server.post('/api/v1/build/prepare', asked))).toMatchObject({
      cache_available: true,
      cached_job_id: hashes[0],
    });
    const alone = await json(await server.post('/api/v1/prepare', asked));
    const { cache_available: _, cached_job_id: __, ...same } = prepared;
    expect(alone).toEqual(same);
  });

  it('keeps diff_packages as sent, and renames along in packages_versions', async () => {
    const prepared = await json(
      await server.post('/api/v1/build/prepare', { ...ATH79, diff_packages: true, packages_versions: { auc: '1.0', vim: '9.1-r1' } }),
    );
    expect(prepared['prepared_request']).toMatchObject({ diff_packages: true, packages_versions: { owut: '', vim: '9.1-r1' } });
    expect((prepared['prepared_request'] as { packages: string[] }).packages).toEqual(expect.arrayContaining(['owut', 'vim']));
  });

  it('skip builds exactly the list, though a rule would change it', async () => {
    const { status, body } = await server.build(
      { ...ATH79, version: '23.05.5', packages: ['auc', 'luci-i18n-base-de'] },
      '?skip_package_resolution=1',
    );
    expect(status).toBe(200);
    expect(body['request']).toMatchObject({ packages: ['auc', 'luci-i18n-base-de'] });
  });

  it.each(['maybe', '2', ''])('refuses skip_package_resolution=%s', async (value) => {
    const response = await server.post(`/api/v1/build?skip_package_resolution=${value}`, X86);
    expect(response.status).toBe(422);
    expect(await json(response)).toMatchObject({ errors: [{ type: 'bool_parsing', loc: ['query', 'skip_package_resolution'] }] });
  });

  it('prepare lists what is missing, and refuses what build refuses', async () => {
    expect(await json(await server.post('/api/v1/build/prepare', { ...X86, packages: ['no-such'] }))).toMatchObject({
      status: 'prepared',
      missing: ['no-such'],
    });
    expect((await server.post('/api/v1/build/prepare', { ...X86, version: '99.99.99' })).status).toBe(400);
    expect((await server.post('/api/v1/prepare', { ...X86, packages: ['$(id)'] })).status).toBe(422);
  });

  it('from_version chooses the renames on the way', async () => {
    const resolved = async (from_version: string) =>
      (await json(await server.post('/api/v1/prepare', { ...ATH79, packages: ['auc'], from_version })))['resolved_packages'];
    expect(await resolved('23.05.5')).toEqual(['owut']);
    expect(await resolved('24.10.0')).toEqual(['auc']);
  });

  it('/apply knows only the rules', async () => {
    const answer = await json(
      await server.post('/apply', {
        version: '24.10.0',
        target: 'ath79/generic',
        profile: 'test',
        packages: ['luci', 'auc'],
        default_packages: ['ppp'],
        diff_packages: false,
      }),
    );
    expect(answer).toMatchObject({ packages: ['luci', 'owut'], changes: [{ from_package: 'auc' }] });
  });
});

describe('the store', () => {
  it('serves whole files, ranges, HEAD and 304, for download', async () => {
    const { body } = await server.build({ ...X86, packages: ['nano'] });
    const [image] = body['images'] as { name: string; sha256: string }[];
    const path = `/store/${body['bin_dir']}/${image?.name}`;
    const whole = await server.get(path);
    const content = Buffer.from(await whole.arrayBuffer());
    expect(whole.headers.get('Content-Length')).toBe(String(content.length));
    expect(whole.headers.get('Content-Type')).toBe('application/octet-stream');
    expect(whole.headers.get('Content-Disposition')).toBe(`attachment; filename="${image?.name}"`);
    expect(whole.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(whole.headers.get('Access-Control-Allow-Origin')).toBe('*');
    const head = await server.get(path, { method: 'HEAD' });
    expect(head.headers.get('Content-Length')).toBe(String(content.length));

    for (const [range, from, to] of [
      ['bytes=2-5', 2, 6],
      ['bytes=4-', 4, content.length],
      ['bytes=-3', content.length - 3, content.length],
    ] as const) {
      const part = await server.get(path, { headers: { Range: range } });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(content.subarray(from, to));
    }
    expect((await server.get(path, { headers: { Range: 'bytes=99999-' } })).status).toBe(416);
    for (const headers of [
      { 'If-None-Match': whole.headers.get('ETag') ?? '' },
      { 'If-Modified-Since': whole.headers.get('Last-Modified') ?? '' },
    ])
      expect((await server.get(path, { headers })).status).toBe(304);
  });

  it.each([
    '/store/',
    '/store/none.bin',
    `/store/${'0'.repeat(64)}/x.bin`,
    '/store/../asu.db',
    '/store/%2e%2e/asu.db',
    '/store/..%2fasu.db',
    `/store/${'0'.repeat(64)}/..%2f..%2f..%2fasu.db`,
    '/store/%00',
  ])('has nothing at %s', async (path) => {
    const response = await server.get(path);
    expect(response.status).toBe(404);
    expect(await json(response)).toMatchObject({ status: 404 });
  });
});

describe('a PC without a board name', () => {
  it.each(['', '_unnamed', 'qemu-standard-pc-q35-ich9-2009'])('gets the only profile of its target for "%s"', async (profile) => {
    const named = await json(await server.post('/api/v1/build/prepare', { ...X86, packages: ['vim'] }));
    const prepared = await json(await server.post('/api/v1/build/prepare', { ...X86, profile, packages: ['vim'] }));
    expect(prepared).toMatchObject({ prepared_request: { profile: 'generic' }, request_hash: named['request_hash'] });
  });

  it.each(['', '_unnamed'])('is refused for "%s" where the target has devices of its own', async (profile) => {
    const response = await server.post('/api/v1/build', { ...ATH79, profile });
    expect([response.status, (await json(response))['detail']]).toEqual([400, expect.stringContaining(`Unsupported profile: ${profile}.`)]);
  });
});

describe('an image asked for by the request hash', () => {
  const built = async (...packages: string[]) => {
    const { body } = await server.build({ ...X86, packages });
    const [image] = body['images'] as { name: string; sha256: string }[];
    return { hash: String(body['request_hash']), binDir: String(body['bin_dir']), name: String(image?.name), sha256: image?.sha256 };
  };

  it.each(['GET', 'HEAD'])('is a redirect to the image for %s, whatever the query', async (method) => {
    const { hash, binDir, name } = await built('nano');
    for (const query of ['', '?1764000000000']) {
      const { status, headers } = await server.get(`/store/${hash}/${name}${query}`, { method });
      expect([status, headers.get('Location')]).toEqual([302, `/store/${binDir}/${name}`]);
      expect([headers.get('Cache-Control'), headers.get('Access-Control-Allow-Origin')]).toEqual(['no-store', '*']);
    }
  });

  it('has the listed digest for a client that follows redirects', async () => {
    const { hash, name, sha256 } = await built('nano');
    const response = await server.get(`/store/${hash}/${name}`, { redirect: 'follow' });
    expect(
      createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer()))
        .digest('hex'),
    ).toBe(sha256);
  });

  it.each([
    ['a file that the result does not list', (hash: string) => `${hash}/none.bin`],
    ['no file', (hash: string) => `${hash}/`],
    ['another spelling of the hash', (hash: string, name: string) => `${hash.toUpperCase()}/${name}`],
    ['an encoded slash', (hash: string, name: string) => `${hash}%2f${name}`],
    ['a path that leaves the store', (hash: string) => `${hash}/..`],
    ['a path through the directory', (hash: string, name: string) => `${hash}/./x/${name}`],
    ['a directory above', (hash: string, name: string) => `x/${hash}/${name}`],
    ['a slash behind the name', (hash: string, name: string) => `${hash}/${name}/`],
    ['an unknown hash', (_: string, name: string) => `${'0'.repeat(64)}/${name}`],
  ])('is not found by %s', async (_, pathOf) => {
    const { hash, name } = await built('nano');
    const answer = await server.ask(`/store/${pathOf(hash, name)}`);
    expect([answer.status, answer.header('location')]).toEqual([404, undefined]);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 404, title: 'Not Found' });
  });

  it('is answered only by its own methods', async () => {
    const { hash, name } = await built('nano');
    expect((await server.get(`/store/${hash}/${name}`, { method: 'POST' })).status).toBe(405);
  });

  it('is the file of a directory of that name, where there is one', async () => {
    const { hash, name } = await built('nano');
    const directory = join(server.dataDir, 'public', 'store', hash);
    await mkdir(directory);
    await writeFile(join(directory, name), 'put there by the operator');
    try {
      expect(await (await server.get(`/store/${hash}/${name}`)).text()).toBe('put there by the operator');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('a full queue', () => {
  it('refuses new builds with 429, never a request for one that is known, and never an invalid one with anything else', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = await startTestServer({ env: { MAX_PENDING_JOBS: '1' }, imageMaker: scriptedImageMaker({ act: () => held }) });
    try {
      const ask = async (name: string) => await busy.post('/api/v1/build', { ...X86, packages: [name] });
      expect((await ask('vim')).status).toBe(202);
      await expect.poll(async () => ((await (await ask('vim')).json()) as { detail: string }).detail).toBe('started');
      const second = await json(await ask('tmux'));
      const third = await json(await ask('htop'));
      expect([second['queue_position'], third['queue_position']]).toEqual([0, 1]);
      const refused = await ask('nano');
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(await json(refused)).toEqual({
        status: 429,
        title: 'Server overloaded',
        detail: 'server overload, queue contains too many build requests: 2',
      });
      expect((await ask('tmux')).status).toBe(202);
      expect((await busy.post('/api/v1/build', { ...X86, version: '99.99.99' })).status).toBe(400);
      const running = await json(await ask('vim'));
      expect(running).toMatchObject({ detail: 'started', imagebuilder_status: 'building_image' });
      expect(running).not.toHaveProperty('queue_position');
      release();
      expect((await busy.build({ ...X86, packages: ['htop'] })).status).toBe(200);
    } finally {
      release();
      await busy.close();
    }
  });
});

describe('a request asked again after its build has expired', () => {
  it('is built again, and nothing is left of the old build', async () => {
    const short = await startTestServer({ env: { ALLOW_DEFAULTS: '1', BUILD_DEFAULTS_TTL: '1s', SWEEP_EVERY: '3600' } });
    try {
      const body = { ...X86, defaults: 'echo secret' };
      const first = await short.build(body);
      const path = `/api/v1/build/${first.body['request_hash']}`;
      await expect.poll(async () => (await short.get(path)).status, { timeout: 10_000 }).toBe(404);
      const again = await json(await short.post('/api/v1/build', body));
      expect(again['request_hash']).toBe(first.body['request_hash']);
      const second = await short.build(body);
      expect(second.body['bin_dir']).not.toBe(first.body['bin_dir']);
      expect(await readdir(join(short.dataDir, 'public', 'logs'))).toEqual([second.body['bin_dir']]);
    } finally {
      await short.close();
    }
  });
});

describe('a request asked again after an image of its build was deleted', () => {
  it('is built again, and its new images can be read', async () => {
    const body = { ...X86, packages: ['vim', 'tmux', 'nano'] };
    const first = await server.build(body);
    const [image] = first.body['images'] as { name: string }[];
    await rm(join(server.dataDir, 'public', 'store', String(first.body['bin_dir']), image?.name ?? 'no image'));
    const answers = await Promise.all(Array.from({ length: 5 }, async () => json(await server.post('/api/v1/build', body))));
    for (const answer of answers) expect(answer).toMatchObject({ request_hash: first.body['request_hash'] });
    expect(answers.map(({ bin_dir }) => bin_dir)).not.toContain(first.body['bin_dir']);
    const second = await server.build(body);
    expect((await server.get(`/store/${second.body['bin_dir']}/${image?.name}`)).status).toBe(200);
    expect((await server.post('/api/v1/build', body)).status).toBe(200);
  });
});

describe('no part of a request is dropped silently', () => {
  it.each([
    [{ ...X86, packages: Array.from({ length: 900 }, (_, i) => `-${'a'.repeat(100)}${i}`) }, 'too_long'],
    [{ ...X86, packages: ['a'.repeat(129)] }, 'string_too_long'],
  ])('a list too long for a command line is 422', async (body, type) => {
    expect(await json(await server.post('/api/v1/build', body))).toMatchObject({ status: 422, errors: [{ type }] });
  });

  it('keys without a repository change nothing', async () => {
    const hash = async (body: object) => (await json(await server.post('/api/v1/build', body)))['request_hash'];
    expect(await hash({ ...X86, packages: ['aaa'], repository_keys: ['no key at all'] })).toBe(await hash({ ...X86, packages: ['aaa'] }));
  });

  it('a repository with an odd name is refused, not left out', async () => {
    const response = await server.post(
      '/api/v1/build',
      `{"version":"24.10.2","target":"x86/64","profile":"generic","repositories":{"__proto__":"https://evil.example/"}}`,
    );
    expect(response.status).toBe(422);
  });

  it('a thousand unknown packages do not make a header too long for clients', async () => {
    const packages = Array.from({ length: 900 }, (_, i) => `no-such-package-${i}`);
    const response = await server.post('/api/v1/build', { ...X86, packages });
    expect(response.headers.get('X-Unknown-Package')?.length).toBeLessThan(1_100);
    expect(((await json(response))['errors'] as { packages: string[] }[])[0]?.packages).toHaveLength(900);
  });
});

describe('fifty equal requests at once', () => {
  it('are one build', async () => {
    const imageMaker = scriptedImageMaker();
    const crowd = await startTestServer({ imageMaker });
    try {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => crowd.post('/api/v1/build', { ...X86, packages: ['vim', 'htop'] })),
      );
      const hashes = await Promise.all(answers.map(async (answer) => (await json(answer))['request_hash']));
      expect(new Set(hashes).size).toBe(1);
      expect((await crowd.build({ ...X86, packages: ['vim', 'htop'] })).status).toBe(200);
      expect(imageMaker.begun).toHaveLength(1);
    } finally {
      await crowd.close();
    }
  });
});
