import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultyServer, faultyServer, silent } from '#test/services/faulty-server.ts';
import { ServiceTimeoutError } from './errors.ts';
import { forward } from './forward.ts';
import { GATEWAY_ROUTES } from './routes.ts';

const TIMEOUT_MS = 200;

describe('the time limit of a route', () => {
  let service: FaultyServer;
  beforeEach(async () => {
    service = await faultyServer(silent);
  });
  afterEach(() => service.close());

  const ask = () =>
    forward(
      { name: 'prepare', url: service.url },
      {
        method: 'GET',
        path: '/x',
        headers: {},
        body: null,
        maxBodyBytes: 0,
        timeoutMs: TIMEOUT_MS,
        signal: new AbortController().signal,
      },
    );

  it('ends the wait for a silent service with 504 and Retry-After', async () => {
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServiceTimeoutError);
    expect(error).toMatchObject({
      status: 504,
      message: 'Gateway Timeout: the prepare service has not answered within 0.2 s',
      headers: { 'Retry-After': '5' },
    });
  });

  it('does not apply once the answer has begun, however long the rest takes', async () => {
    service.behave((_, response) => {
      response.write('beginning, ');
      setTimeout(() => response.end('end'), 2 * TIMEOUT_MS);
    });
    expect(await (await ask()).text()).toBe('beginning, end');
  });

  it('is longer for preparing a build than for reading one', () => {
    const limitOf = (path: string) => GATEWAY_ROUTES.find(({ paths }) => paths.includes(path))?.timeoutMs ?? 0;
    expect(limitOf('/api/v1/build')).toBeGreaterThan(limitOf('/api/v1/prepare'));
    expect(limitOf('/api/v1/prepare')).toBeGreaterThan(limitOf('/api/v1/build/*'));
  });
});
