import { describe, expect, it } from 'vitest';
import { UnsupportedVersionError } from '#core/errors.ts';
import { jsonLog } from '#observe/log.ts';
import { httpApp, routes } from './http-app.ts';
import { jsonBody } from './json-body.ts';
import { serveNode } from './serve-node.ts';

const lines: string[] = [];
const answered: string[] = [];
const app = httpApp(
  {
    log: jsonLog('debug', (line) => lines.push(line)),
    onAnswered: ({ method, route, status }) => answered.push(`${method} ${route} ${status}`),
  },
  routes()
    .get('/thing/:id', (c) => c.json({ id: c.req.param('id'), query: c.req.query() }))
    .post('/thing', async (c) => c.json(await jsonBody(c, 100)))
    .get('/refused', () => {
      throw new UnsupportedVersionError('99');
    })
    .get('/broken/:id?', () => {
      throw new TypeError('secret inner working');
    }),
);

const ask = (path: string, init: RequestInit = {}) => app.request(path, init);
const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { 'Content-Type': 'application/json' }) =>
  ask('/thing', { method: 'POST', body, headers });

describe('every answer', () => {
  it.each([
    ['GET', '/thing/1', 200],
    ['HEAD', '/thing/1', 200],
    ['GET', '/refused', 400],
    ['GET', '/broken', 500],
    ['GET', '/nothing', 404],
    ['DELETE', '/thing/1', 405],
    ['OPTIONS', '/thing/1', 204],
    ['OPTIONS', '/nothing', 204],
    ['GET', '//thing/1', 301],
    ['GET', '/thing/1/', 307],
  ])('%s %s is %i and carries CORS and a correlation id', async (method, path, status) => {
    const response = await ask(path, { method, redirect: 'manual' });
    expect(response.status).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(response.headers.get('Access-Control-Expose-Headers')).toContain('X-Queue-Position');
    expect(response.headers.get('X-Correlation-Id')).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });

  it('keeps an acceptable correlation id and replaces any other', async () => {
    const idFor = async (given: string) =>
      (await ask('/thing/1', { headers: { 'X-Correlation-Id': given } })).headers.get('X-Correlation-Id');
    expect(await idFor('router-1.a_b')).toBe('router-1.a_b');
    for (const bad of ['a b', 'x'.repeat(65), 'a"b', 'ä'.normalize('NFD').replace(/[^a]/g, '%')]) expect(await idFor(bad)).not.toBe(bad);
  });
});

describe('errors', () => {
  it('have one shape, and show nothing of the inside of the server', async () => {
    for (const [path, status] of [
      ['/refused', 400],
      ['/broken', 500],
      ['/nothing', 404],
    ] as const) {
      const response = await ask(path);
      const text = await response.text();
      expect(JSON.parse(text)).toEqual({ status, title: expect.any(String), detail: expect.any(String) });
      expect(response.headers.get('Content-Type')).toBe('application/json');
      expect(text).not.toContain('secret');
    }
    expect(lines.some((line) => line.includes('secret inner working'))).toBe(true);
  });

  it('of the server are logged with the path, but not with the hash of a build', async () => {
    const hash = 'ab'.repeat(32);
    await ask(`/broken/${hash}`);
    const failed = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'request failed');
    expect(failed.at(-1)).toMatchObject({ path: '/broken/abababababab…' });
    expect(JSON.stringify(failed)).not.toContain(hash);
  });

  it('405 names the allowed methods', async () => {
    const response = await ask('/thing/1', { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET, HEAD');
    expect(await response.json()).toMatchObject({ status: 405 });
  });

  it('the log and the metrics name routes by their template', () => {
    expect(answered).toContain('GET /thing/:id 200');
    expect(answered).toContain('GET unmatched 404');
  });
});

describe('doubled and trailing slashes', () => {
  it('redirect with the query, relatively', async () => {
    expect((await ask('//thing/1?a=b&c')).headers.get('Location')).toBe('/thing/1?a=b&c');
    expect((await ask('/thing/1/?a=b')).headers.get('Location')).toBe('/thing/1?a=b');
  });
  it('never lead to another host', async () => {
    for (const path of ['///evil.example/x', '//evil.example/%2e%2e', '/\\evil.example/']) {
      const location = (await ask(path)).headers.get('Location');
      if (location !== null) expect(location).toMatch(/^\/(?![/\\])/);
    }
  });
  it('do not lose a posted body', async () => {
    const response = await ask('//thing', { method: 'POST', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } });
    expect(await response.json()).toEqual({ a: 1 });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('bodies', () => {
  it.each([undefined, 'text/plain', 'application/json', 'application/json; charset=utf-8', 'application/vnd.x+json', 'APPLICATION/JSON'])(
    'are taken as %s',
    async (type) => {
      const response = await post(new TextEncoder().encode('{"a":1}'), type === undefined ? {} : { 'Content-Type': type });
      expect(await response.json()).toEqual({ a: 1 });
    },
  );

  it.each([
    ['', 'application/json', 'missing'],
    ['{not json}', 'application/json', 'json_invalid'],
    ['{not json}', 'text/plain', 'model_attributes_type'],
    ['version=1.2.3', 'application/x-www-form-urlencoded', 'model_attributes_type'],
  ])('%j as %s is 422 %s', async (body, type, error) => {
    const response = await post(body, { 'Content-Type': type });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ status: 422, detail: expect.any(String), errors: [{ type: error }] });
  });

  it('that are too large get 413, whether their length is announced or not', async () => {
    expect((await post(`"${'x'.repeat(200)}"`)).status).toBe(413);
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(60))),
    });
    const response = await ask('/thing', {
      method: 'POST',
      body: chunks,
      duplex: 'half',
      headers: { 'Content-Type': 'application/json' },
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ status: 413 });
  });
});

describe('over a socket', () => {
  it('chunked bodies without a length are read, and HEAD has the length of GET', async () => {
    const server = await serveNode(app, { host: '127.0.0.1', port: 0 });
    try {
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('{"a"'));
          controller.enqueue(new TextEncoder().encode(':1}'));
          controller.close();
        },
      });
      const posted = await fetch(`${server.url}/thing`, {
        method: 'POST',
        body,
        duplex: 'half',
        headers: { 'Content-Type': 'application/json' },
      } as RequestInit);
      expect(await posted.json()).toEqual({ a: 1 });
      const missing = await fetch(`${server.url}/nothing`, { method: 'HEAD' });
      const whole = await fetch(`${server.url}/nothing`);
      expect(missing.headers.get('Content-Length')).toBe(String((await whole.arrayBuffer()).byteLength));
      expect([...whole.headers.keys()].filter((name) => name === 'access-control-allow-origin')).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  it('says what to do when the port is taken', async () => {
    const first = await serveNode(app, { host: '127.0.0.1', port: 0 });
    const port = Number(new URL(first.url).port);
    await expect(serveNode(app, { host: '127.0.0.1', port })).rejects.toThrow(/is taken.*--port/);
    await first.close();
  });
});
