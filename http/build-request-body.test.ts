import { expect, it } from 'vitest';
import type { BuildRequest } from '#core/request/build-request.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { jsonLog } from '#observe/log.ts';
import { buildRequestBody } from './build-request-body.ts';
import { httpApp, routes } from './http-app.ts';

let parseRequest = buildRequestParser();
let taken: BuildRequest[] = [];
const app = httpApp(
  { log: jsonLog('silent', () => undefined) },
  routes().post('/build', async (c) => {
    taken.push(await buildRequestBody(c, { parseRequest: () => parseRequest, maxBodyBytes: () => 256 * 1024 }));
    return c.json({});
  }),
);

const post = async (body: object, contentType = 'application/json') =>
  (await app.request('/build', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': contentType } })).status;
const body = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };

it('the same text is parsed once, into one frozen request', async () => {
  taken = [];
  expect(await Promise.all([post(body), post(body, 'text/plain'), post({ ...body, packages: ['tmux'] })])).toEqual([200, 200, 200]);
  expect(taken[1]).toBe(taken[0]);
  expect(taken[2]).not.toBe(taken[0]);
  expect(() => taken[0]?.packages.push('tmux')).toThrow(TypeError);
});

it('a text that was accepted as JSON is refused as a form', async () => {
  expect([await post(body), await post(body, 'application/x-www-form-urlencoded')]).toEqual([200, 422]);
});

it('the same text is parsed again under other limits', async () => {
  const sized = { ...body, rootfs_size_mb: 512 };
  expect(await post(sized)).toBe(200);
  parseRequest = buildRequestParser({ maxDefaultsLength: 100, maxCustomRootfsSizeMb: 256 });
  expect(await post(sized)).toBe(422);
});

it('a request with defaults is not remembered', async () => {
  taken = [];
  const secret = { ...body, defaults: 'passwd' };
  expect([await post(secret), await post(secret)]).toEqual([200, 200]);
  expect(taken[1]).not.toBe(taken[0]);
});
