import { beforeEach, describe, expect, it } from 'vitest';
import { UnsupportedVersionError } from '#core/errors.ts';
import type { Answered } from '#observe/answered.ts';
import { jsonLog, type LogLevel } from '#observe/log.ts';
import { httpApp, routes } from './http-app.ts';

const HASH = 'a'.repeat(64);
let lines: Record<string, unknown>[] = [];
let answered: Answered[] = [];
beforeEach(() => {
  lines = [];
  answered = [];
});

const appAt = (level: LogLevel) =>
  httpApp(
    { log: jsonLog(level, (line) => lines.push(JSON.parse(line))), onAnswered: (one) => answered.push(one) },
    routes()
      .get('/build/:hash{(?!prepare$)[0-9a-f]{64}}', (c) => c.text('done'))
      .post('/build', (c) => {
        c.set('logFields', { request_hash: HASH, outcome: 'joined' });
        return c.text('taken', 202);
      })
      .get('/refused', () => {
        throw new UnsupportedVersionError('99');
      })
      .get('/broken', () => {
        throw new TypeError('oh');
      }),
  );
const completed = () => lines.filter(({ message }) => message === 'request completed');

describe('at the default level', () => {
  const ask = (path: string, init: RequestInit = {}) => appAt('info').request(path, init);

  it('a request that changes something has one line, with its hash, outcome and client', async () => {
    await ask('/build', { method: 'POST', headers: { 'User-Agent': 'owut/2025', 'X-Correlation-Id': 'mine' } });
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        message: 'request completed',
        method: 'POST',
        endpoint: '/build',
        status_code: 202,
        duration_ms: expect.any(Number),
        user_agent: 'owut/2025',
        request_hash: HASH,
        outcome: 'joined',
        correlation_id: 'mine',
      },
    ]);
  });

  it.each([
    ['GET', `/build/${HASH}`],
    ['HEAD', `/build/${HASH}`],
    ['OPTIONS', '/build'],
    ['GET', '/wp-login.php'],
    ['GET', '/refused'],
    ['GET', '//build'],
  ])('%s %s has no line', async (method, path) => {
    await ask(path, { method });
    expect(lines).toEqual([]);
  });

  it('a fault of the server is logged for every method, once as an error', async () => {
    await ask('/broken', { headers: { 'X-Correlation-Id': 'oops' } });
    expect(lines.map(({ level, message, correlation_id }) => [level, message, correlation_id])).toEqual([
      ['error', 'request failed', 'oops'],
      ['info', 'request completed', 'oops'],
    ]);
    expect(answered.map(({ isBug }) => isBug)).toEqual([true]);
  });

  it('refusals do not count as faults of the server', async () => {
    await ask('/refused');
    await ask('/nowhere', { method: 'POST' });
    expect(answered.map(({ status, isBug }) => [status, isBug])).toEqual([
      [400, false],
      [404, false],
    ]);
    expect(completed()).toMatchObject([{ method: 'POST', endpoint: 'unmatched', status_code: 404 }]);
  });
});

describe('at level debug', () => {
  it('every request has a line when it is read and one when its answer begins', async () => {
    const headers = { 'User-Agent': 'x'.repeat(500), 'X-Correlation-Id': 'poll' };
    await appAt('debug').request(`/build/${HASH}?a=b`, { headers });
    const both = { method: 'GET', endpoint: '/build/:hash', correlation_id: 'poll', user_agent: `${'x'.repeat(200)}…` };
    expect(lines).toMatchObject([
      { ...both, level: 'debug', message: 'request started', path: `/build/${HASH.slice(0, 12)}…` },
      { ...both, level: 'debug', message: 'request completed', status_code: 200 },
    ]);
    expect(JSON.stringify(completed())).not.toContain(HASH);
  });

  it('a doubled slash counts as one request, not two', async () => {
    const response = await appAt('debug').request('//build', { method: 'POST', headers: { 'X-Correlation-Id': 'once' } });
    expect(response.headers.get('X-Correlation-Id')).toBe('once');
    expect(completed()).toMatchObject([{ endpoint: '/build', correlation_id: 'once' }]);
    expect(answered.map(({ route }) => route)).toEqual(['/build']);
  });
});

it('there are only as many endpoints as routes, whatever clients ask for', async () => {
  const app = appAt('silent');
  const hashes = Array.from({ length: 30 }, (_, i) => `/build/${i.toString(16).padStart(64, '0')}`);
  const scans = Array.from({ length: 30 }, (_, i) => `/scan-${i}/.env`);
  for (const path of [...hashes, ...scans, '/build/prepare', '/build//x', '//build', '/%ff', `/${'y'.repeat(3000)}`])
    for (const method of ['GET', 'HEAD', 'POST', 'PROPFIND', 'OPTIONS']) await app.request(path, { method });
  expect([...new Set(answered.map(({ route }) => route))].sort()).toEqual(['/build', '/build/:hash', 'unmatched']);
  expect(lines).toEqual([]);
});
