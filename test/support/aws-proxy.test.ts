import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { awsProxy } from './aws-proxy.ts';
import { bodyOf, type HttpHandler, startHttpServer } from './http-server.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Starts the proxy in front of a service with this handler. */
async function proxyOf(handle: HttpHandler) {
  const service = await startHttpServer(handle);
  closers.push(service.close);
  const proxy = await awsProxy(service.url);
  closers.push(proxy.close);
  return proxy;
}

/** Sends half of a request and disconnects. Settles when the connection has closed. */
const breakOff = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      socket.write('PUT /bucket/key HTTP/1.1\r\nHost: aws\r\nContent-Length: 1000\r\n\r\nhalf of it');
      setImmediate(() => socket.resetAndDestroy());
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });

it('survives a client that disconnects in the middle of its request', async () => {
  const proxy = await proxyOf(async (request, response) => response.end(await bodyOf(request)));
  await breakOff(proxy.url);
  const answer = await fetch(`${proxy.url}/bucket/key`, { method: 'PUT', body: 'whole' });
  expect([answer.status, await answer.text()]).toEqual([200, 'whole']);
});

it('closes the connection when the service ends its answer early, and answers the next request', async () => {
  let isCut = true;
  const proxy = await proxyOf((_, response) => {
    if (!isCut) return response.end('whole');
    response.writeHead(200, { 'Content-Length': 1000 });
    return response.write('half of it', () => response.destroy());
  });
  await expect(fetch(`${proxy.url}/bucket/key`).then((answer) => answer.text())).rejects.toThrow();
  isCut = false;
  expect(await (await fetch(`${proxy.url}/bucket/key`)).text()).toBe('whole');
});
