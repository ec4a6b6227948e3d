import { expect, it } from 'vitest';
import { startHttpServer } from '#test/support/http-server.ts';
import { measuredFetch } from './measured-fetch.ts';

it('tells what became of each call, and leaves answers and failures as they are', async () => {
  const server = await startHttpServer((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  const { url } = server;
  const told: string[] = [];
  const fetch = measuredFetch((outcome, seconds) => told.push(`${outcome} ${seconds >= 0}`), globalThis.fetch);
  for (const status of [200, 206, 304, 404, 410, 429, 503]) expect((await fetch(`${url}/${status}`)).status).toBe(status);
  await server.close();
  await expect(fetch(`${url}/200`)).rejects.toThrow('fetch failed');
  expect(told).toEqual(['found', 'found', 'unchanged', 'missing', 'missing', 'refused', 'refused', 'failed'].map((one) => `${one} true`));
});
