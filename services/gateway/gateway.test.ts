import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type Behaviour, type FaultyServer, faultyServer, hangingUp } from '#test/services/faulty-server.ts';
import type { Service } from '../start-service.ts';
import { loadConfig } from './config.ts';
import { startGateway } from './start-gateway.ts';

const NAMES = ['prepare', 'build', 'status', 'catalogue', 'stats'] as const;
const HASH = 'a'.repeat(64);

const echo: Behaviour = (request, response, body) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: body.toString('base64') }));
};

describe('the gateway', () => {
  const services = {} as Record<(typeof NAMES)[number], FaultyServer>;
  let gateway: Service;
  const start = (env: Record<string, string> = {}) => {
    const urls = Object.fromEntries(NAMES.map((name) => [`${name.toUpperCase()}_SERVICE_URL`, services[name].url]));
    return startGateway(loadConfig({ PORT: '0', LOG_LEVEL: 'silent', ...urls, ...env }));
  };

  beforeEach(async () => {
    for (const name of NAMES) services[name] = await faultyServer(echo);
    gateway = await start();
  });
  afterEach(async () => {
    await gateway.close();
    for (const name of NAMES) await services[name].close();
  });

  const restart = async (env: Record<string, string>) => {
    await gateway.close();
    gateway = await start(env);
  };
  const ask = (path: string, init: RequestInit = {}) => fetch(gateway.url + path, { redirect: 'manual', ...init });
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    ask(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } });
  const requests = () => Object.fromEntries(NAMES.map((name) => [name, services[name].seen.length]));

  /** Sends the bytes unchanged, without normalising or decoding them. */
  const raw = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(gateway.url);
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('end', () => resolve(answer)).on('error', reject);
    });

  it.each([
    ['POST', '/api/v1/prepare', 'prepare'],
    ['POST', '/apply', 'prepare'],
    ['POST', '/api/v1/build?skip_package_resolution=true', 'build'],
    ['POST', '/api/v1/build/prepare', 'build'],
    ['GET', '/api/v1/build/prepare', 'build'],
    ['PUT', '/api/v1/build', 'build'],
    ['GET', `/api/v1/build/${HASH}`, 'status'],
    ['HEAD', `/api/v1/build/${HASH}`, 'status'],
    ['DELETE', `/api/v1/build/${HASH}`, 'status'],
    ['GET', `/api/v1/build/${HASH}/events`, 'status'],
    ['GET', `/store/${HASH}/a-b_c+1.bin`, 'status'],
    ['HEAD', `/store/${HASH}/a-b_c+1.bin?1764000000000`, 'status'],
    ['GET', '/signing-key.pub', 'status'],
    ['GET', '/json/v1/overview.json', 'catalogue'],
    ['GET', '/api/v1/revision/24.10.2/x86/64', 'catalogue'],
    ['GET', '/overview', 'catalogue'],
    ['GET', '/api/v1/docs/', 'catalogue'],
    ['GET', '/api/v1/openapi.json', 'catalogue'],
    ['GET', '/', 'stats'],
    ['GET', '/api/v1/stats/summary', 'stats'],
    ['GET', '/api/v1/top-packages?n=3&branch=24.10', 'stats'],
  ])('passes %s %s to %s', async (method, path, name) => {
    expect((await ask(path, { method })).status).toBe(200);
    expect(requests()).toEqual({ ...Object.fromEntries(NAMES.map((other) => [other, 0])), [name]: 1 });
    expect(services[name as 'build'].seen[0]).toMatchObject({ method, url: path });
  });

  it.each(['/health', '/ready', '/metrics'])('answers %s itself', async (path) => {
    expect((await ask(path)).status).toBe(200);
    if (path !== '/ready') expect(Object.values(requests())).toEqual([0, 0, 0, 0, 0]);
    expect(services.build.seen.every(({ url }) => url === '/health')).toBe(true);
  });

  it.each(['/store/../metrics', '/store/%2e%2e/metrics', '/store/%2E./metrics', '/api/v1/build/../../../ready', '/x', '/api/v1/nothing'])(
    'does not reach a service by %s',
    async (path) => {
      expect(await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 (404|200)/);
      for (const name of NAMES) expect(services[name].seen.filter(({ url }) => url !== '/health')).toEqual([]);
    },
  );

  it('passes the request on unchanged, except for the headers of the connection', async () => {
    await restart({ TRUSTED_PROXIES: '127.0.0.1' });
    const response = await new Promise<string>((resolve, reject) => {
      const headers = {
        ...{ 'X-Custom': 'kept', Authorization: 'Bearer token', 'X-Correlation-Id': 'mine', 'X-Forwarded-For': '1.1.1.1, 198.51.100.9' },
        ...{
          Connection: 'keep-alive, X-Hop',
          'X-Hop': 'dropped',
          'Proxy-Authorization': 'dropped',
          TE: 'trailers',
          Forwarded: 'for=1.1.1.1',
        },
      };
      const request = httpRequest(`${gateway.url}/api/v1/prepare?a=%20b&c`, { method: 'POST', headers }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(text));
      });
      request.on('error', reject);
      request.write(Buffer.from([0, 255, 128]));
      request.end('chunked');
    });
    const { url, headers, body } = JSON.parse(response);
    expect(url).toBe('/api/v1/prepare?a=%20b&c');
    expect(Buffer.from(body, 'base64')).toEqual(Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from('chunked')]));
    expect(headers).toMatchObject({
      'x-custom': 'kept',
      authorization: 'Bearer token',
      'x-correlation-id': 'mine',
      'x-forwarded-for': '198.51.100.9',
      'x-forwarded-host': new URL(gateway.url).host,
      host: new URL(services.prepare.url).host,
    });
    for (const name of ['x-hop', 'proxy-authorization', 'te', 'forwarded']) expect(headers).not.toHaveProperty(name);
  });

  it.each([200, 202, 304, 400, 404, 413, 422, 429, 500, 503])(
    'passes %i back with its headers and every byte of its body',
    async (status) => {
      const body = status === 304 ? '' : 'ÿ\u0000text';
      services.build.behave((_, response) => {
        response.writeHead(status, [
          'X-Unknown-Package',
          'a b',
          'Set-Cookie',
          'a=1',
          'Set-Cookie',
          'b=2',
          'Retry-After',
          '7',
          'ETag',
          '"x"',
        ]);
        response.end(body, 'latin1');
      });
      const response = await post('/api/v1/build/prepare', '{}');
      expect(response.status).toBe(status);
      expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toBe(body);
      expect(Object.fromEntries(response.headers)).toMatchObject({ 'x-unknown-package': 'a b', 'retry-after': '7', etag: '"x"' });
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    },
  );

  it('does not change compressed, partial and large answers', async () => {
    const large = Buffer.alloc(3_000_000, 'firmware');
    services.status.behave((request, response) => {
      if (request.headers.range)
        response.writeHead(206, { 'Content-Range': 'bytes 0-7/3000000', 'Content-Length': 8 }).end(large.subarray(0, 8));
      else response.writeHead(200, { 'Content-Length': large.length, 'Content-Type': 'application/octet-stream' }).end(large);
    });
    const whole = await ask(`/store/${HASH}/image.bin`);
    expect(whole.headers.get('Content-Length')).toBe('3000000');
    expect(Buffer.from(await whole.arrayBuffer()).equals(large)).toBe(true);
    const part = await ask(`/store/${HASH}/image.bin`, { headers: { Range: 'bytes=0-7' } });
    expect([part.status, part.headers.get('Content-Range'), await part.text()]).toEqual([206, 'bytes 0-7/3000000', 'firmware']);

    const packed = gzipSync('{"a":1}');
    services.catalogue.behave((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': packed.length }).end(packed);
    });
    const answer = await raw('GET /overview HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
    expect(answer.endsWith(packed.toString('latin1'))).toBe(true);
    expect(answer).toMatch(new RegExp(`content-length: ${packed.length}\r\n`, 'i'));
  });

  it('answers HEAD with the length of GET and without a body', async () => {
    services.status.behave((_, response) => {
      response.writeHead(200, { 'Content-Length': 12, 'X-Imagebuilder-Status': 'done' }).end();
    });
    const response = await ask(`/api/v1/build/${HASH}`, { method: 'HEAD' });
    expect(response.headers.get('Content-Length')).toBe('12');
    expect(response.headers.get('X-Imagebuilder-Status')).toBe('done');
    expect(await response.text()).toBe('');
  });

  it('streams: the beginning of an answer arrives before its end', async () => {
    let finish: () => void = () => undefined;
    services.status.behave((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
      finish = () => response.end('data: 2\n\n');
    });
    const response = await ask(`/api/v1/build/${HASH}/events`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n');
    finish();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 2\n\n');
  });

  it('sets one CORS policy, one Access-Control-Allow-Origin and one correlation id on every answer, whatever services answer', async () => {
    services.build.behave(
      answering(200, '{}', {
        'Access-Control-Allow-Origin': 'https://evil.example',
        'Access-Control-Allow-Credentials': 'true',
        'X-Correlation-Id': 'x',
      }),
    );
    await services.stats.close();
    for (const [path, method] of [
      ['/api/v1/build', 'POST'],
      ['/api/v1/stats', 'GET'],
      ['/nothing', 'GET'],
      [`/api/v1/build/${HASH}`, 'OPTIONS'],
    ]) {
      const answer = await raw(
        `${method} ${path} HTTP/1.1\r\nHost: a\r\nX-Correlation-Id: mine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect([path, answer.match(/^access-control-allow-origin: .*$/gim)]).toEqual([path, [expect.stringMatching(/: \*$/)]]);
      expect(answer).not.toMatch(/allow-credentials/i);
      expect(answer.match(/^x-correlation-id: .*$/gim)).toEqual([expect.stringMatching(/: mine$/)]);
    }
    expect(services.status.seen).toEqual([]);
  });

  it('gives a request without a correlation id one, which the service gets too', async () => {
    const response = await ask('/api/v1/stats');
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(response.headers.get('X-Correlation-Id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['x-correlation-id']).toBe(response.headers.get('X-Correlation-Id'));
  });

  it('refuses bodies that are too large, with or without a Content-Length', async () => {
    const large = 'x'.repeat(300_000);
    expect((await post('/api/v1/build', large)).status).toBe(413);
    expect(services.build.seen).toEqual([]);
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });
    const response = await ask('/api/v1/build', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ status: 413, detail: expect.stringContaining('262144') });
    expect(services.build.seen).toEqual([]);
  });

  it('answers 502 for an unreachable service and 503 for one without an address', async () => {
    services.prepare.behave(hangingUp);
    const gone = await post('/api/v1/prepare', '{}');
    expect(gone.status).toBe(502);
    expect(await gone.json()).toEqual({ status: 502, title: 'Bad Gateway', detail: 'Bad Gateway: the prepare service cannot be reached' });
    expect(gone.headers.get('Retry-After')).toBe('5');
    await restart({ STATS_SERVICE_URL: '' });
    expect((await ask('/api/v1/stats')).status).toBe(503);
  });

  it.each(['is gone', 'does not answer', 'answers 503', 'closes the connection'])(
    'asks the build service for builds and images when status %s',
    async (how) => {
      if (how === 'is gone') await services.status.close();
      else
        services.status.behave(
          how === 'does not answer' ? () => undefined : how === 'closes the connection' ? hangingUp : answering(503, '{}'),
        );
      for (const path of [`/api/v1/build/${HASH}`, `/store/${HASH}/image.bin`]) {
        const response = await ask(path);
        expect([response.status, ((await response.json()) as { url: string }).url]).toEqual([200, path]);
      }
      // The gateway repeats only requests that are safe to repeat.
      if (how !== 'does not answer') expect((await ask(`/api/v1/build/${HASH}`, { method: 'DELETE' })).status).toBeGreaterThanOrEqual(502);
      expect(services.build.seen).toHaveLength(2);
    },
  );

  it('does not ask the build service when status itself says that the stores of both cannot be used', async () => {
    services.status.behave((request, response) => {
      const headers = { 'X-Correlation-Id': String(request.headers['x-correlation-id']), 'Retry-After': '10' };
      response.writeHead(503, { 'Content-Type': 'application/json', ...headers }).end('{"status":503}');
    });
    for (const path of [`/api/v1/build/${HASH}`, `/store/${HASH}/image.bin`]) {
      const response = await ask(path);
      expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '10']);
    }
    expect([services.status.seen.length, services.build.seen.length]).toEqual([2, 0]);
  });

  it('is ready with all services, degraded without one, not ready without any, and checks at most every 30 s', async () => {
    const ready = async () => {
      const response = await ask('/ready');
      return [response.status, await response.json()] as const;
    };
    expect(await ready()).toMatchObject([200, { status: 'ready', checks: { prepare: 'ok', stats: 'ok' } }]);
    await ready();
    expect(services.build.seen.map(({ url }) => url)).toEqual(['/health']);
    services.prepare.behave(answering(500, ''));
    expect(await ready()).toMatchObject([200, { status: 'ready' }]);
    await restart({});
    expect(await ready()).toMatchObject([200, { status: 'degraded', checks: { prepare: 'answers 500', build: 'ok' } }]);
    for (const name of NAMES) services[name].behave(hangingUp);
    await restart({});
    expect(await ready()).toMatchObject([503, { status: 503, detail: expect.stringContaining('prepare, build') }]);
  });

  it('names the address of an unreachable service only in the log', async () => {
    const { port } = new URL(services.stats.url);
    await services.stats.close();
    await restart({});
    const text = await (await ask('/ready')).text();
    expect(JSON.parse(text)).toMatchObject({ status: 'degraded', checks: { stats: 'cannot be reached', build: 'ok' } });
    expect(text).not.toContain(port);
    services.stats = await faultyServer(echo);
  });

  describe('limits new builds', () => {
    const accepted = (hash: string) => answering(202, JSON.stringify({ status: 202, request_hash: hash.repeat(64) }));
    beforeEach(() => restart({ RATE_LIMIT_BUILDS_BURST: '2', RATE_LIMIT_BUILDS_PER_HOUR: '1', TRUSTED_PROXIES: '127.0.0.0/8' }));
    const build = (client = '198.51.100.1') => post('/api/v1/build', '{}', { 'X-Forwarded-For': client });

    it('per client, with 429 and Retry-After', async () => {
      for (const hash of ['a', 'b']) {
        services.build.behave(accepted(hash));
        expect((await build()).status).toBe(202);
      }
      services.build.behave(accepted('c'));
      const refused = await build();
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(3_000);
      expect(await refused.json()).toMatchObject({ status: 429, title: 'Too Many Requests' });
      expect(services.build.seen).toHaveLength(2);
      expect((await build('198.51.100.2')).status).toBe(202);
      expect((await ask(`/api/v1/build/${HASH}`)).status).toBe(200);
      expect((await post('/api/v1/build/prepare', '{}')).status).toBe(202);
    });

    it('and answers 502 if an accepting answer breaks off, at no cost to the client', async () => {
      services.build.behave((request, response) => {
        response.writeHead(202, { 'Content-Length': '100' }).write('{"status":');
        setImmediate(() => request.socket.destroy());
      });
      for (let i = 0; i < 3; i += 1) expect((await build()).status).toBe(502);
      services.build.behave(accepted('a'));
      expect((await build()).status).toBe(202);
    });

    it('and nothing else: a cached, refused, repeated or failed request costs nothing', async () => {
      for (const behaviour of [answering(200, '{}'), answering(422, '{}'), answering(429, '{}'), answering(500, '{}'), hangingUp])
        for (let i = 0; i < 3; i += 1) {
          services.build.behave(behaviour);
          expect((await (await build()).text()).includes('from your address')).toBe(false);
        }
      services.build.behave(accepted('d'));
      for (let i = 0; i < 5; i += 1) expect((await build()).status).toBe(202);
      expect((await build('198.51.100.3')).status).toBe(202);
      services.build.behave(accepted('e'));
      expect((await build()).status).toBe(202);
      services.build.behave(accepted('f'));
      expect((await build()).status).toBe(429);
    });

    it('also when all requests come at once', async () => {
      let hashes = 0;
      services.build.behave((...call) => accepted('0123456789'[hashes++] ?? 'x')(...call));
      const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await build()).status));
      expect(statuses.sort()).toEqual([202, 202, ...Array(8).fill(429)]);
    });

    it('but not requests that begin no build, even if the client may begin no more', async () => {
      for (const hash of ['a', 'b']) {
        services.build.behave(accepted(hash));
        expect((await post('/api/v1/build', hash, { 'X-Forwarded-For': '198.51.100.1' })).status).toBe(202);
      }
      services.status.behave((_, response) => void response.writeHead(202, { 'X-Imagebuilder-Status': 'queued' }).end());
      expect((await post('/api/v1/build', 'a', { 'X-Forwarded-For': '198.51.100.1' })).status).toBe(202);
      expect((await post('/api/v1/build', 'c', { 'X-Forwarded-For': '198.51.100.1' })).status).toBe(429);
    });

    it('by the real address of the client, not by one that the client invents', async () => {
      await restart({ RATE_LIMIT_BUILDS_BURST: '1', RATE_LIMIT_BUILDS_PER_HOUR: '1' });
      services.build.behave(accepted('a'));
      expect((await build('1.1.1.1')).status).toBe(202);
      services.build.behave(accepted('b'));
      expect((await build('2.2.2.2')).status).toBe(429);
      expect((await post('//api/v1/build', '{}', { 'X-Forwarded-For': '3.3.3.3' })).status).toBe(429);
    });
  });

  describe('gives no client more than its share while others wait', () => {
    /** The state of each build of the services, by hash. */
    const places = new Map<string, 'queued' | 'building_image' | 'done' | 'failed'>();
    let made = 0;
    const headOf = (hash: string): [number, Record<string, string>] => {
      const place = places.get(hash);
      const status = place === undefined ? 404 : place === 'done' ? 200 : place === 'failed' ? 500 : 202;
      return [status, { 'Content-Type': 'application/json', ...(place && { 'X-Imagebuilder-Status': place }) }];
    };
    /** Answers a build request, whose body is the hash of the build. */
    const submitting: Behaviour = (_, response, body) => {
      const hash = body.toString();
      if (!places.has(hash)) places.set(hash, 'queued');
      response.writeHead(...headOf(hash)).end(JSON.stringify({ status: 202, request_hash: hash }));
    };
    const looking: Behaviour = ({ url = '' }, response) => {
      response.writeHead(...headOf(url.slice(-64))).end('{}');
    };
    beforeEach(async () => {
      places.clear();
      await restart({
        ...{ MAX_PENDING_PER_CLIENT: '3', TRUSTED_PROXIES: '127.0.0.0/8' },
        ...{ RATE_LIMIT_BUILDS_PER_HOUR: '0', RATE_LIMIT_REQUESTS_PER_HOUR: '0' },
      });
      services.build.behave(submitting);
      services.status.behave(looking);
    });
    const another = () => {
      made += 1;
      return made.toString(16).padStart(64, '0');
    };
    const [alice, bob] = ['198.51.100.1', '2001:db8::1'];
    const build = (client: string, hash = another()) => post('/api/v1/build', hash, { 'X-Forwarded-For': client });
    const statuses = async (client: string, count: number) => {
      const all: number[] = [];
      for (let i = 0; i < count; i += 1) all.push((await build(client)).status);
      return all;
    };

    it('and refuses with 429 and Retry-After, and counts the refusal', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      expect(await statuses(alice, 3)).toEqual([202, 202, 202]);
      const before = services.build.seen.length;
      const refused = await build(alice);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('Retry-After')).toBe('60');
      expect(await refused.json()).toEqual({
        status: 429,
        title: 'Too Many Requests',
        detail: 'Too Many Requests: 3 builds from your address are under way while other clients wait; try again in 60 s',
      });
      expect(services.build.seen).toHaveLength(before);
      expect(await statuses('2001:db8::2', 3)).toEqual([202, 202, 429]);
      expect(await (await ask('/metrics')).text()).toContain('asu_refused_requests_total{reason="client-share",service="gateway"} 2');
    });

    it('but any number while the client is alone', async () => {
      expect(await statuses(alice, 8)).toEqual(Array(8).fill(202));
      expect(await statuses(bob, 4)).toEqual([202, 202, 202, 429]);
    });

    it('and forgets ended builds, whether a client has asked for them or not', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      const own = [another(), another(), another()];
      for (const hash of own) expect((await build(alice, hash)).status).toBe(202);
      places.set(own[2] ?? '', 'failed');
      expect((await ask(`/api/v1/build/${own[2]}`)).status).toBe(500);
      expect(await statuses(alice, 1)).toEqual([202]);
      places.set(own[0] ?? '', 'done');
      places.delete(own[1] ?? '');
      expect(await statuses(alice, 3)).toEqual([202, 202, 429]);
    });

    it('and does not count running or ended builds of others as waiting', async () => {
      const other = another();
      expect((await build(bob, other)).status).toBe(202);
      expect(await statuses(alice, 3)).toEqual([202, 202, 202]);
      places.set(other, 'building_image');
      expect(await statuses(alice, 2)).toEqual([202, 202]);
      const next = another();
      expect((await build(bob, next)).status).toBe(202);
      places.set(next, 'done');
      expect(await statuses(alice, 1)).toEqual([202]);
    });

    it('and does not count a build that another client began or that the client has asked for before', async () => {
      const [one, two] = [another(), another()];
      for (const hash of [one, two]) expect((await build(bob, hash)).status).toBe(202);
      for (let i = 0; i < 5; i += 1) for (const hash of [one, two]) expect((await build(alice, hash)).status).toBe(202);
      expect(await statuses(alice, 3)).toEqual([202, 202, 202]);
      expect(await statuses(alice, 1)).toEqual([429]);
    });

    it('also when the client asks for many at once, with only a few requests to the services', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      const all = await Promise.all(Array.from({ length: 30 }, async () => (await build(alice)).status));
      expect(all.sort()).toEqual([202, 202, 202, ...Array(27).fill(429)]);
      expect(services.status.seen.length).toBeLessThanOrEqual(6);
    });

    it('and asks the build service when status is gone, and uses the last known state when both are gone', async () => {
      const other = another();
      expect((await build(bob, other)).status).toBe(202);
      expect(await statuses(alice, 3)).toEqual([202, 202, 202]);
      services.status.behave(hangingUp);
      services.build.behave(({ method, ...request }, ...more) =>
        method === 'HEAD' ? looking({ method, ...request } as never, ...more) : submitting(request as never, ...more),
      );
      places.set(other, 'done');
      expect(await statuses(alice, 1)).toEqual([202]);
      expect(await statuses(bob, 1)).toEqual([202]);
      services.build.behave((request, ...more) => (request.method === 'HEAD' ? hangingUp : submitting)(request, ...more));
      expect(await statuses(alice, 1)).toEqual([429]);
    });

    it('and refuses no request that begins no build: repeated ones, ended builds, builds of other clients', async () => {
      const [other, own] = [another(), another()];
      expect((await build(bob, other)).status).toBe(202);
      expect((await build(alice, own)).status).toBe(202);
      expect(await statuses(alice, 3)).toEqual([202, 202, 429]);
      expect([(await build(alice, own)).status, (await build(alice, other)).status]).toEqual([202, 202]);
      places.set(other, 'failed');
      expect((await build(alice, other)).status).toBe(500);
      expect((await build(bob)).status).toBe(202);
      expect(await statuses(alice, 1)).toEqual([429]);
    });

    it('and asks the prepare service which build an unknown request means, but never sends it a private one', async () => {
      services.prepare.behave((_, response, body) => {
        response.end(JSON.stringify({ status: 'prepared', request_hash: body.toString() }));
      });
      expect(await statuses(bob, 1)).toEqual([202]);
      expect(await statuses(alice, 4)).toEqual([202, 202, 202, 429]);
      const [begun, ended, failed] = [another(), another(), another()];
      places.set(begun, 'queued').set(ended, 'done').set(failed, 'failed');
      expect([(await build(alice, begun)).status, (await build(alice, ended)).status]).toEqual([202, 200]);
      // After a failure that may be retried, a request begins a new build.
      services.status.behave(
        (_, response) => void response.writeHead(500, { 'X-Imagebuilder-Status': 'failed', 'Retry-After': '1' }).end(),
      );
      expect((await build(alice, failed)).status).toBe(429);
      const asked = services.prepare.seen.length;
      expect((await build(alice, JSON.stringify({ defaults: 'secret' }))).status).toBe(429);
      expect(services.prepare.seen).toHaveLength(asked);
    });

    it('and does not take the word of the prepare service for a request whose packages the build service takes as they are', async () => {
      services.prepare.behave((_, response, body) => {
        response.end(JSON.stringify({ status: 'prepared', request_hash: body.toString() }));
      });
      expect(await statuses(bob, 1)).toEqual([202]);
      expect(await statuses(alice, 4)).toEqual([202, 202, 202, 429]);
      const ended = another();
      places.set(ended, 'done');
      const post = (query: string) => ask(`/api/v1/build${query}`, { method: 'POST', body: ended, headers: { 'X-Forwarded-For': alice } });
      for (const query of ['?skip_package_resolution=1', '?a=b', '?1&skip_package_resolution=1', '?skip%5Fpackage_resolution=1'])
        expect([query, (await post(query)).status]).toEqual([query, 429]);
      expect((await post('?1700000000000')).status).toBe(200);
    });

    it('and counts a build that a request began although it was passed on as one for a build that is there', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      const own = [another(), another(), another()];
      for (const hash of own) expect((await build(alice, hash)).status).toBe(202);
      const [before, after] = [another(), another()];
      places.set(before, 'done');
      services.prepare.behave((_, response) => void response.end(JSON.stringify({ status: 'prepared', request_hash: before })));
      expect((await build(alice, after)).status).toBe(202);
      services.prepare.behave(hangingUp);
      for (const hash of own.slice(1)) {
        places.set(hash, 'done');
        expect((await ask(`/api/v1/build/${hash}`)).status).toBe(200);
      }
      expect(await statuses(alice, 2)).toEqual([202, 429]);
    });

    it('and learns from the answer to a repeated request that its build has ended', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      const own = another();
      expect((await build(alice, own)).status).toBe(202);
      expect(await statuses(alice, 1)).toEqual([202]);
      places.set(own, 'done');
      expect((await build(alice, own)).status).toBe(200);
      services.status.behave(hangingUp);
      services.build.behave((request, ...more) => (request.method === 'HEAD' ? hangingUp : submitting)(request, ...more));
      expect(await statuses(alice, 3)).toEqual([202, 202, 429]);
    });

    it('and finds an ended build behind a long one', async () => {
      expect(await statuses(bob, 1)).toEqual([202]);
      const own = [another(), another(), another()];
      for (const hash of own) expect((await build(alice, hash)).status).toBe(202);
      places.set(own[2] ?? '', 'done');
      expect(await statuses(alice, 2)).toEqual([202, 429]);
    });

    it('unless the share is 0', async () => {
      await restart({ MAX_PENDING_PER_CLIENT: '0', TRUSTED_PROXIES: '127.0.0.0/8', RATE_LIMIT_BUILDS_PER_HOUR: '0' });
      expect(await statuses(bob, 1)).toEqual([202]);
      expect(await statuses(alice, 8)).toEqual(Array(8).fill(202));
    });
  });

  it('has a separate budget for all other requests', async () => {
    await restart({ RATE_LIMIT_REQUESTS_BURST: '3', RATE_LIMIT_REQUESTS_PER_HOUR: '1' });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await ask(`/api/v1/build/${HASH}`)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await post('/api/v1/build', '{}')).status).toBe(200);
  });
});

it.each([
  ['TRUSTED_PROXIES', '10.0.0.0/40'],
  ['BUILD_SERVICE_URL', 'build:8000'],
  ['RATE_LIMIT_BUILDS_BURST', '0'],
])('refuses to start with %s=%s, by name', (name, value) => {
  expect(() => loadConfig({ [name]: value })).toThrow(`${name}=${value}`);
});
