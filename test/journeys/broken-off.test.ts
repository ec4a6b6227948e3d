import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '#services/gateway/config.ts';
import { startGateway } from '#services/gateway/start-gateway.ts';
import type { Service } from '#services/start-service.ts';
import { type FaultyServer, faultyServer } from '#test/services/faulty-server.ts';
import { familiesIn } from '#test/support/promql.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** Milliseconds; generous, because other tests share the machine. */
const PATIENCE = { timeout: 20_000 };

type HangUp = 'end' | 'destroy' | 'resetAndDestroy';
const HANG_UPS: readonly HangUp[] = ['end', 'destroy', 'resetAndDestroy'];

/** Sends the text, hangs up once `isDue` says so, and returns what the server said until then. */
function sendAndHangUp(url: string, text: string, hangUp: HangUp, isDue: (said: string) => boolean | Promise<boolean> = () => true) {
  return new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    let said = '';
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => {
      socket.write(text, async () => {
        await expect
          .poll(() => isDue(said), PATIENCE)
          .toBe(true)
          .catch(reject);
        socket[hangUp]();
      });
    });
    socket.setEncoding('latin1').on('data', (chunk) => {
      said += chunk;
    });
    socket
      .on('end', () => socket.end())
      .on('error', () => undefined)
      .on('close', () => resolve(said));
  });
}

const head = (path: string, ...headers: string[]) => [`POST ${path} HTTP/1.1`, 'Host: h', ...headers, '', ''].join('\r\n');
const BROKEN_BODIES = [
  ['shorter than announced', (path: string) => `${head(path, 'Content-Type: application/json', 'Content-Length: 100')}{"version":`],
  ['without its last chunk', (path: string) => `${head(path, 'Content-Type: application/json', 'Transfer-Encoding: chunked')}2\r\n{"\r\n`],
  ['with a chunk that is none', (path: string) => `${head(path, 'Transfer-Encoding: chunked')}2\r\n{"\r\nnonsense\r\n`],
] as const;
const BROKEN = BROKEN_BODIES.flatMap(([name, text]) => HANG_UPS.map((hangUp) => [name, hangUp, text] as const));

/** The counts of a server: answers by status, and its own faults. */
async function counted(url: string): Promise<{ statuses: Record<string, number>; bugs: number }> {
  const families = familiesIn(await (await fetch(`${url}/metrics`)).text());
  const samples = (name: string) => families.find((family) => family.name === name)?.samples ?? [];
  const statuses: Record<string, number> = {};
  for (const { labels, value } of samples('http_requests_total')) {
    if (labels['endpoint'] === '/metrics' || value === 0) continue;
    const status = String(labels['status_code']);
    statuses[status] = (statuses[status] ?? 0) + value;
  }
  return { statuses, bugs: samples('asu_unexpected_errors_total').reduce((sum, { value }) => sum + value, 0) };
}

const levelsOf = (lines: readonly string[]) => new Set(lines.map((line) => JSON.parse(line).level as string));

describe('a request whose body breaks off is the fault of its client', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
    return () => server.close();
  });

  it.each(BROKEN)('%s, %s', async (_, hangUp, text) => {
    const paths = ['/api/v1/build', '/api/v1/build/prepare', '/api/v1/prepare', '/apply', '//api/v1/build'];
    for (const path of paths) expect(await sendAndHangUp(server.url, text(path), hangUp)).toMatch(/^(HTTP\/1\.1 400 |$)/);
    await expect.poll(async () => (await counted(server.url)).statuses, PATIENCE).toEqual({ 400: paths.length });
    expect((await counted(server.url)).bugs).toBe(0);
    expect(levelsOf(server.lines)).toEqual(new Set(['info', 'debug']));
    expect(server.lines.join('')).not.toMatch(/"stack"|_http_server/);
  });
});

describe('behind the gateway', () => {
  let server: TestServer;
  let slow: FaultyServer;
  let gateway: Service;
  const printed: string[] = [];
  const { write } = process.stdout;
  const { error } = console;
  beforeAll(() => {
    // The gateway logs to standard output, and reports errors outside of the application on the console.
    process.stdout.write = ((chunk: string) => printed.push(chunk) > 0) as typeof write;
    console.error = (...said: unknown[]) => void printed.push(`console.error ${said.join(' ')}\n`);
  });
  afterAll(() => {
    process.stdout.write = write;
    console.error = error;
  });
  beforeEach(async () => {
    server = await startTestServer();
    slow = await faultyServer(() => undefined);
    const urls = {
      BUILD_SERVICE_URL: server.url,
      PREPARE_SERVICE_URL: server.url,
      STATUS_SERVICE_URL: slow.url,
      STATS_SERVICE_URL: slow.url,
    };
    gateway = await startGateway(loadConfig({ PORT: '0', LOG_LEVEL: 'debug', ...urls }));
    printed.length = 0;
    return async () => {
      await gateway.close();
      await slow.close();
      await server.close();
    };
  });

  const expectNoFault = () => expect(printed.filter((line) => /"level":"(warn|error)"|console\.error|"stack"/.test(line))).toEqual([]);

  it.each(BROKEN)('is the same: %s, %s', async (_, hangUp, text) => {
    const paths = ['/api/v1/build', '/api/v1/prepare'];
    for (const path of paths) expect(await sendAndHangUp(gateway.url, text(path), hangUp)).toMatch(/^(HTTP\/1\.1 400 |$)/);
    await expect.poll(async () => (await counted(gateway.url)).statuses, PATIENCE).toEqual({ 400: paths.length });
    expectNoFault();
    // The service sees whatever the gateway began to pass on, perhaps nothing.
    expect(await counted(server.url)).toMatchObject({ bugs: 0 });
    expect(Object.keys((await counted(server.url)).statuses).filter((status) => status !== '400')).toEqual([]);
    expect(levelsOf(server.lines)).not.toContain('error');
  });

  it.each(HANG_UPS)(
    'a client that does not wait for its answer is no failure of a service, and no other service is asked: %s',
    async (hangUp) => {
      const paths = ['/api/v1/stats', `/api/v1/build/${'a'.repeat(64)}`];
      for (const [index, path] of paths.entries())
        await sendAndHangUp(gateway.url, `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`, hangUp, () => slow.seen.length > index);
      await expect.poll(async () => (await counted(gateway.url)).statuses, PATIENCE).toEqual({ 499: paths.length });
      expectNoFault();
      expect((await counted(server.url)).statuses).toEqual({});
    },
  );

  it.each(HANG_UPS)('a client that hangs up in the middle of its answer is no fault of ours either: %s', async (hangUp) => {
    let isClosed = false;
    slow.behave((_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    await sendAndHangUp(gateway.url, 'GET /api/v1/stats HTTP/1.1\r\nHost: h\r\n\r\n', hangUp, (said) => said.length > 1_000_000);
    if (hangUp !== 'end') await expect.poll(() => isClosed, PATIENCE).toBe(true);
    expect((await counted(gateway.url)).statuses).toEqual({ 200: 1 });
    expectNoFault();
  });
});
