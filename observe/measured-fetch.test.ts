import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { measuredFetch } from './measured-fetch.ts';

it('tells what became of each call, and leaves answers and failures as they are', async () => {
  const server = createServer((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const told: string[] = [];
  const fetch = measuredFetch((outcome, seconds) => told.push(`${outcome} ${seconds >= 0}`), globalThis.fetch);
  for (const status of [200, 206, 304, 404, 410, 429, 503]) expect((await fetch(`${url}/${status}`)).status).toBe(status);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  await expect(fetch(`${url}/200`)).rejects.toThrow('fetch failed');
  expect(told).toEqual(['found', 'found', 'unchanged', 'missing', 'missing', 'refused', 'refused', 'failed'].map((one) => `${one} true`));
});
