import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchByNodeHttp, fetchPubliclyThrough } from './fetch-by-node-http.ts';

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const listen = async (server: Server | ReturnType<typeof createTcpServer>): Promise<string> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/**
 * Starts a server that answers raw bytes and closes the connection at once, as HTTP/1.0 servers and many proxies do.
 */
const closing = (head: string, body: Buffer) =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(`${head}\r\nConnection: close\r\n\r\n`);
        socket.write(body);
        socket.end();
      });
    }),
  );

const serving = (answer: (url: string, response: ServerResponse) => void) =>
  listen(createServer((request, response) => answer(request.url ?? '', response)));

describe('fetchByNodeHttp', () => {
  it('returns the whole body when the server closes the connection before it is read', async () => {
    const body = Buffer.alloc(65_536, 'a');
    const url = await closing(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}`, body);
    const response = await fetchByNodeHttp(url);
    await sleep(100);
    expect((await response.arrayBuffer()).byteLength).toBe(body.length);
  });

  it('rejects a body that is cut off', async () => {
    const url = await closing('HTTP/1.1 200 OK\r\nContent-Length: 1000', Buffer.alloc(10));
    await expect((await fetchByNodeHttp(url)).arrayBuffer()).rejects.toThrow();
  });

  it('sends headers, follows redirects, and gives up on a redirect loop', async () => {
    const url = await serving((path, response) => {
      if (path === '/here') return response.writeHead(206, { 'content-range': 'bytes 1-2/3', etag: '"a"' }).end('bc');
      return response.writeHead(302, { location: path === '/there' ? '/here' : '/circle' }).end();
    });
    const response = await fetchByNodeHttp(`${url}/there`, { headers: { range: 'bytes=1-' } });
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([206, 'bytes 1-2/3', 'bc']);
    await expect(fetchByNodeHttp(`${url}/circle`)).rejects.toMatchObject({ cause: { message: 'too many redirects' } });
  });

  it('says why there is no answer, and stops when its signal aborts', async () => {
    await expect(fetchByNodeHttp('http://127.0.0.1:1/')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    const url = await serving(() => undefined);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('told to')), 50);
    await expect(fetchByNodeHttp(url, { signal: abort.signal })).rejects.toThrow('told to');
  });

  it('ends the body of an answer when its signal aborts', async () => {
    const url = await serving((_, response) => response.writeHead(200).write('some'));
    const abort = new AbortController();
    const response = await fetchByNodeHttp(url, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('told to')), 50);
    await expect(response.text()).rejects.toThrow();
  });

  it.each([600, 999, 0])('takes the status %i for an error of the server, and closes the connection', async (status) => {
    const closed = Promise.withResolvers<void>();
    const url = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('close', () => closed.resolve());
        socket.once('data', () => socket.write(`HTTP/1.1 ${String(status).padStart(3, '0')} Odd\r\nContent-Length: 1000\r\n\r\nbegun`));
      }),
    );
    const signal = AbortSignal.timeout(3000);
    const failure = await fetchByNodeHttp(url, { signal }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect(signal.aborted).toBe(false);
    await closed.promise;
  });
});

describe('fetchPubliclyThrough', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://2130706433:1/',
    'http://[::1]:1/',
    'http://[::ffff:10.0.0.1]:1/',
    'http://10.1.2.3:1/',
    'http://172.31.0.1:1/',
    'http://192.168.0.1:1/',
    'http://100.64.0.1:1/',
    'http://169.254.169.254/',
    'http://0.0.0.0:1/',
    'http://[fd00::1]:1/',
    'http://[fe80::1]:1/',
    'http://[64:ff9b::7f00:1]:1/',
    'http://localhost:1/',
  ])('connects to no private address: %s', async (url) => {
    const failure = await fetchPubliclyThrough({ direct: [] })(url, { signal: AbortSignal.timeout(2000) }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { message: expect.stringContaining('no address of the internet') } });
  });
});
