import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '#test/support/ask.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const HASH = '0'.repeat(64);

/** Every path that answers GET with a document. */
const DOCUMENTS = [
  '/',
  '/stats',
  '/json/v1/overview.json',
  '/json/v1/branches.json',
  '/json/v1/latest.json',
  '/json/v1/releases/24.10.2/targets/ath79/generic/index.json',
  '/json/v1/releases/24.10.2/targets/ath79/generic/8dev_carambola2.json',
  '/json/v1/releases/24.10.2/packages/mips_24kc-index.json',
  '/json/v1/snapshots/targets/x86/64/index.json',
  '/api/v1/overview',
  '/api/overview',
  '/overview',
  '/api/v1/revision/24.10.2/ath79/generic',
  '/api/v1/stats',
  '/api/v1/stats/summary',
  '/api/v1/builds-per-day',
  '/api/v1/builds-by-version',
  '/api/v1/top-packages',
  '/api/v1/build-errors',
  '/health',
  '/ready',
];

let server: TestServer;
let image: string;
let build: string;
beforeAll(async () => {
  server = await startTestServer();
  const body = JSON.stringify({ version: '24.10.2', target: 'x86/64', profile: 'generic' });
  let answer: Answer;
  do answer = await server.ask('/api/v1/build', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  while (answer.status === 202);
  const done = JSON.parse(answer.text) as { request_hash: string; bin_dir: string; images: { name: string }[] };
  build = `/api/v1/build/${done.request_hash}`;
  image = `/store/${done.bin_dir}/${done.images[0]?.name}`;
});
afterAll(() => server.close());

const all = () => [...DOCUMENTS, build, image];

function expectUsual(what: string, answer: Answer): void {
  const origins = answer.headerLines.filter(([name]) => name === 'access-control-allow-origin').map(([, value]) => value);
  expect([what, origins]).toEqual([what, ['*']]);
  const ids = answer.headerLines.filter(([name]) => name === 'x-correlation-id');
  expect([what, ids]).toEqual([what, [['x-correlation-id', expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)]]]);
  expect([what, answer.header('content-encoding')]).toEqual([what, undefined]);
}

function expectProblem(what: string, answer: Answer, status: number): void {
  expectUsual(what, answer);
  expect([what, answer.status, answer.header('content-type')]).toEqual([what, status, 'application/json']);
  const body = JSON.parse(answer.text) as Record<string, unknown>;
  expect([what, body]).toEqual([what, expect.objectContaining({ status, title: expect.any(String), detail: expect.any(String) })]);
  for (const key of Object.keys(body)) expect(['status', 'title', 'detail', 'errors', 'stderr']).toContain(key);
}

describe('every path', () => {
  it('answers HEAD as GET, without a body', async () => {
    for (const path of all()) {
      const got = await server.ask(path);
      const head = await server.ask(path, { method: 'HEAD' });
      expectUsual(path, got);
      expectUsual(path, head);
      expect([path, got.status, got.bytes.length > 0]).toEqual([path, 200, true]);
      expect([path, head.status, head.bytes.length]).toEqual([path, 200, 0]);
      for (const name of ['content-type', 'content-length', 'cache-control', 'etag', 'x-imagebuilder-status', 'x-queue-position'])
        expect([path, name, head.header(name)]).toEqual([path, name, got.header(name)]);
      expect([path, Number(got.header('content-length'))]).toEqual([path, got.bytes.length]);
    }
  });

  it('answers preflights, even where nothing exists', async () => {
    for (const path of [
      ...all(),
      '/api/v1/build',
      '/api/v1/build/prepare',
      '/api/v1/latest',
      '/nowhere',
      '//api/v1/build',
      '/api/v1/build/',
    ]) {
      const answer = await server.ask(path, { method: 'OPTIONS' });
      expectUsual(path, answer);
      expect([path, answer.status, answer.bytes.length]).toEqual([path, 204, 0]);
      for (const name of ['allow-methods', 'allow-headers', 'max-age']) expect(answer.header(`access-control-${name}`)).toBeDefined();
    }
  });

  it('is never compressed, whatever the client accepts', async () => {
    for (const path of all()) {
      const answer = await server.ask(path, { headers: { 'Accept-Encoding': 'gzip, br, zstd, *' } });
      expectUsual(path, answer);
      expect([path, Number(answer.header('content-length'))]).toEqual([path, answer.bytes.length]);
    }
  });

  it('names the methods it accepts', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'PROPFIND', 'TRACE'])
      for (const path of all()) {
        const answer = await server.ask(path, { method });
        expectProblem(`${method} ${path}`, answer, 405);
        expect(answer.header('allow')?.split(', ')).toEqual(expect.arrayContaining(['GET', 'HEAD']));
      }
    for (const path of ['/api/v1/build', '/api/v1/build/prepare', '/api/v1/prepare', '/apply'])
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await server.ask(path, { method });
        expectProblem(`${method} ${path}`, answer, 405);
        expect(answer.header('allow')).toBe('POST');
      }
  });
});

describe('versions that do not exist', () => {
  it('are not looked for upstream', async () => {
    // Once more the list itself, as it may be older than the version.
    await server.ask('/api/v1/revision/24.10.98/x86/64');
    server.upstream.clearRequests();
    for (let patch = 100; patch < 110; patch++) {
      const answer = await server.ask(`/api/v1/revision/24.10.${patch}/x86/64`);
      expectProblem(`24.10.${patch}`, answer, 404);
      expect(JSON.parse(answer.text)).toMatchObject({ detail: `Failed to fetch revision for 24.10.${patch}/x86/64` });
      expect((await server.ask(`/json/v1/releases/24.10.${patch}/targets/x86/64/index.json`)).status).toBe(404);
    }
    expect(server.upstream.requests.map(({ path }) => path).filter((path) => path !== '/.versions.json')).toEqual([]);
    expect(server.upstream.requests.length).toBeLessThan(3);
  });
});

describe('a superfluous slash', () => {
  it('at the end leads to the path without, query kept, whatever the method', async () => {
    for (const path of [...DOCUMENTS.filter((path) => path !== '/'), build, '/api/v1/latest', '/api/v1/build'])
      for (const method of path === '/api/v1/build' ? ['POST'] : ['GET', 'HEAD']) {
        const what = `${method} ${path}/`;
        const answer = await server.ask(`${path}/?a=1&b`, { method, body: method === 'POST' ? '{}' : undefined });
        expectUsual(what, answer);
        expect([what, answer.status, answer.header('location'), answer.bytes.length]).toEqual([what, 307, `${path}?a=1&b`, 0]);
      }
  });

  it('in front leads to the path without, query kept; a post is answered in place', async () => {
    for (const path of all().filter((path) => path !== '/'))
      for (const method of ['GET', 'HEAD'])
        for (const slashes of ['/', '//']) {
          const what = `${method} ${slashes}${path}`;
          const answer = await server.ask(`${slashes}${path}?a=1&b`, { method });
          expectUsual(what, answer);
          expect([what, answer.status, answer.header('location')]).toEqual([what, 301, `${path}?a=1&b`]);
          expect([what, answer.header('content-length')]).toEqual([what, '0']);
        }
    const posted = await server.ask('//api/v1/build', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: ['{', '}'],
    });
    expectProblem('POST //api/v1/build', posted, 422);
  });

  it('never leads to another host', async () => {
    for (const path of [
      '//evil.example',
      '///evil.example/',
      '//evil.example/..//evil.example',
      '/%5cevil.example/',
      '//%2fevil.example',
    ]) {
      const answer = await server.ask(path);
      const location = answer.header('location');
      expectUsual(path, answer);
      if (location !== undefined) expect(new URL(location, 'http://here.example').host).toBe('here.example');
    }
  });
});

describe('errors', () => {
  const post = (path: string, body: string | readonly string[], type = 'application/json') =>
    server.ask(path, { method: 'POST', headers: { 'Content-Type': type }, body });

  it('have one shape', async () => {
    const large = 'x'.repeat(300_000);
    const cases: [what: string, status: number, ask: () => Promise<Answer>][] = [
      ['nothing there', 404, () => server.ask('/nowhere')],
      ['odd escapes', 404, () => server.ask('/%zz')],
      ['odd escapes in a hash', 404, () => server.ask('/api/v1/build/%E0%A4%A')],
      ['NUL', 404, () => server.ask('/store/%00')],
      ['unknown build', 404, () => server.ask(`/api/v1/build/${HASH}`)],
      ['unknown file', 404, () => server.ask(`/store/${HASH}/x.bin`)],
      ['unknown version below json', 404, () => server.ask('/json/v1/releases/99.99.9/targets/x86/64/index.json')],
      ['unknown target below json', 404, () => server.ask('/json/v1/releases/24.10.2/targets/no/such/index.json')],
      ['unknown architecture', 404, () => server.ask('/json/v1/releases/24.10.2/packages/vax-index.json')],
      ['path without target', 404, () => server.ask('/json/v1/foo/index.json')],
      ['path out of the tree', 404, () => server.ask('/json/v1/../../etc/passwd')],
      ['unknown branch', 400, () => server.ask('/api/v1/revision/99.99/x86/64')],
      ['unknown revision', 404, () => server.ask('/api/v1/revision/24.10.2/no/such')],
      ['range outside', 416, () => server.ask(image, { headers: { Range: 'bytes=999999999-' } })],
      ['too large', 413, () => post('/api/v1/build', JSON.stringify({ client: large }))],
      ['too large in pieces', 413, () => post('/api/v1/build', ['{"client":"', large, '"}'])],
      ['too large to prepare', 413, () => post('/api/v1/prepare', JSON.stringify({ client: large }))],
      ['no body', 422, () => post('/api/v1/build', '')],
      ['no JSON', 422, () => post('/api/v1/build', '{')],
      ['a form', 422, () => post('/api/v1/build', 'version=1', 'application/x-www-form-urlencoded')],
      ['bad flag', 422, () => post('/api/v1/build?skip_package_resolution=perhaps', '{}')],
      ['bad number', 422, () => server.ask('/api/v1/build-errors?n=x')],
      ['no host', 400, () => server.ask('/api/v1/stats', { headers: { Host: 'a b' } })],
      ['backslash', 400, () => server.ask('/api\\v1', { headers: {} })],
    ];
    for (const [what, status, ask] of cases) expectProblem(what, await ask(), status);
  });

  it('of our own have the same shape and show no internals', async () => {
    const broken = await startTestServer({ env: { LOG_LEVEL: 'silent' } });
    try {
      const db = new DatabaseSync(broken.databasePath);
      db.exec('ALTER TABLE builds RENAME TO builds_elsewhere');
      db.close();
      const answer = await broken.ask(`/api/v1/build/${HASH}`);
      expectProblem('a table that is gone', answer, 500);
      expect(answer.text).not.toMatch(/table|sqlite|builds/i);
      expect((await broken.ask('/json/v1/latest.json')).status).toBe(200);
    } finally {
      await broken.close();
    }
  });

  it('keep the correlation id of the request', async () => {
    const answer = await server.ask('/nowhere', { headers: { 'X-Correlation-Id': 'router-1.a_b' } });
    expect(answer.header('x-correlation-id')).toBe('router-1.a_b');
  });
});
