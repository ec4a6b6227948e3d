import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { transformSync } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '#http/cors.ts';

type Headers = Record<string, { value: string }>;
interface Sent {
  method: string;
  uri: string;
  headers: Headers;
  querystring: Record<string, { value: string; multiValue?: { value: string }[] }>;
}
interface Answer {
  statusCode: number;
  headers: Headers;
}

const source = (name: string) => readFileSync(new URL(`./${name}.js`, import.meta.url), 'utf8');

/** Loads the file as CloudFront does: as a script that can use `cf` and defines the function `handler`. */
function load(name: string, cf: object): (event: object) => unknown {
  const script = source(name).replace("import cf from 'cloudfront';", '');
  return runInNewContext(`${script};handler`, { cf });
}

const HASH = 'a'.repeat(64) as RequestHash;
const BIN_DIR = 'b'.repeat(64) as BinDir;
const RESULT = `/${artifactKeys.result(HASH)}`;
const FILE = `/${artifactKeys.file(BIN_DIR, 'openwrt-24.10.2-x86-64-generic-squashfs-combined.img.gz')}`;
const context = { requestId: 'ab+/c_d-e==' };

/**
 * Returns where a request goes: `api`, or `bucket` with the statuses on which the API is asked instead, or an answer.
 */
function ask(method: string, uri: string, { headers = {}, querystring = {} }: Partial<Sent> = {}) {
  const groups: { originIds: { originId: string }[]; failoverCriteria: { statusCodes: number[] } }[] = [];
  const handler = load('viewer-request', { createRequestOriginGroup: (group: (typeof groups)[number]) => groups.push(group) });
  const request: Sent = { method, uri, headers: structuredClone(headers), querystring: structuredClone(querystring) };
  const returned = handler({ request, context }) as Sent | Answer;
  if ('statusCode' in returned) return { answer: returned };
  const [group] = groups;
  const sent = JSON.parse(JSON.stringify(returned)) as Sent;
  if (group === undefined) return { to: 'api', sent };
  expect(group.originIds.map(({ originId }) => originId).join()).toBe('bucket,api');
  return { to: 'bucket', orApiOn: [...group.failoverCriteria.statusCodes], sent };
}

describe('viewer-request', () => {
  it.each([
    ['GET', RESULT, 'bucket'],
    ['HEAD', RESULT, 'bucket'],
    ['DELETE', RESULT, 'api'],
    ['POST', RESULT, 'api'],
    ['GET', `${RESULT}/events`, 'api'],
    ['GET', `${RESULT}/log`, 'api'],
    ['GET', RESULT.toUpperCase(), 'api'],
    ['GET', RESULT.slice(0, -1), 'api'],
    ['GET', `${RESULT}0`, 'api'],
    ['GET', '/api/v1/build/prepare', 'api'],
    ['POST', '/api/v1/build', 'api'],
    ['POST', '/api/v1/build/prepare', 'api'],
    ['GET', FILE, 'bucket'],
    ['HEAD', FILE, 'bucket'],
    ['POST', FILE, 'api'],
    ['GET', `/store/${BIN_DIR}/../${BIN_DIR}/x`, 'api'],
    ['GET', `/store/${BIN_DIR}/`, 'api'],
    ['GET', '/store/', 'api'],
    ['GET', '/json/v1/overview.json', 'bucket'],
    ['GET', '/json/v1/branches.json', 'bucket'],
    ['HEAD', '/json/v1/latest.json', 'bucket'],
    ['GET', '/json/v1/releases/24.10.2/targets/x86/64/index.json', 'api'],
    ['GET', `/logs/${BIN_DIR}/build.log`, 'api'],
    ['GET', '/records/catalogue', 'api'],
    ['GET', '/', 'api'],
    ['PUT', '/api/v1/build', 'api'],
  ])('%s %s goes to the %s', (method, uri, to) => {
    expect(ask(method, uri).to).toBe(to);
  });

  it('asks the API if the bucket has no result or fails, and for a file only if the bucket does not have it', () => {
    expect(ask('GET', RESULT).orApiOn).toEqual([403, 404, 500, 502, 503, 504]);
    expect(ask('GET', FILE).orApiOn).toEqual([403, 404]);
  });

  it('reads only results, files and the three documents from the bucket, never logs or records', () => {
    const path = fc.stringMatching(/^\/(api\/v1\/build|store|logs|records|json\/v1)?[a-f0-9/._%-]{0,140}$/);
    fc.assert(
      fc.property(fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'), path, (method, uri) => {
        const { to, sent } = ask(method, uri);
        if (to === 'bucket')
          expect(sent?.uri).toMatch(/^\/(api\/v1\/build\/[0-9a-f]{64}|store\/[0-9a-f]{64}\/[^/]+|json\/v1\/[a-z]+\.json)$/);
      }),
    );
  });

  it('removes query, credentials and S3 headers on the way to the bucket, and keeps conditions and ranges', () => {
    const headers: Headers = {
      authorization: { value: 'Bearer x' },
      cookie: { value: 'a=b' },
      'x-amz-security-token': { value: 'x' },
      range: { value: 'bytes=0-1' },
      'if-none-match': { value: '"x"' },
    };
    const { sent } = ask('GET', FILE, { headers, querystring: { versionId: { value: '1' } } });
    expect(sent?.querystring).toEqual({});
    expect(Object.keys(sent?.headers ?? {}).sort()).toEqual(['if-none-match', 'range', 'x-correlation-id']);
  });

  it('passes query and credentials on to the API', () => {
    const querystring = { skip_package_resolution: { value: 'true' } };
    const { sent } = ask('POST', '/api/v1/build', { headers: { authorization: { value: 'Bearer x' } }, querystring });
    expect(sent?.querystring).toEqual(querystring);
    expect(sent?.headers['authorization']).toEqual({ value: 'Bearer x' });
  });

  it.each(['/api/v1/build', RESULT, FILE, '/anything'])('answers the preflight of %s as the functions do', (uri) => {
    const { answer } = ask('OPTIONS', uri);
    expect(answer?.statusCode).toBe(204);
    const { 'x-correlation-id': id, ...headers } = answer?.headers ?? {};
    expect(id).toBeDefined();
    expect(valuesOf(headers)).toEqual(lowerCase({ ...CORS_HEADERS, ...PREFLIGHT_HEADERS }));
  });

  it('treats doubled slashes like the reference server: it redirects a GET and corrects the path of a POST', () => {
    const querystring = { n: { value: '1' }, flag: { value: '' }, m: { value: '2', multiValue: [{ value: '2' }, { value: '3' }] } };
    const { answer } = ask('GET', '//json/v1/latest.json', { querystring });
    expect(answer?.statusCode).toBe(301);
    expect(answer?.headers['location']?.value).toBe('/json/v1/latest.json?n=1&flag&m=2&m=3');
    expect(answer?.headers['access-control-allow-origin']?.value).toBe('*');
    expect(ask('POST', '//api/v1/build').sent?.uri).toBe('/api/v1/build');
  });

  it('redirects to this host only', () => {
    expect(ask('GET', '//example.org/').answer?.headers['location']?.value).toBe('/example.org');
    expect(ask('GET', '////').answer?.headers['location']?.value).toBe('/');
  });

  it('removes trailing slashes without a redirect', () => {
    expect(ask('POST', '/api/v1/build/').sent?.uri).toBe('/api/v1/build');
    expect(ask('GET', `${RESULT}/`).to).toBe('bucket');
  });

  it('passes on a correlation id that is safe to log, or makes one', () => {
    const idOf = (value: string) =>
      ask('GET', '/', { headers: { 'x-correlation-id': { value } } }).sent?.headers['x-correlation-id']?.value;
    expect(idOf('abc.1_2-3')).toBe('abc.1_2-3');
    expect(idOf('a b')).toBe('abc_d-e');
    expect(idOf('x'.repeat(65))).toBe('abc_d-e');
    expect(ask('GET', '/').sent?.headers['x-correlation-id']?.value).toBe('abc_d-e');
  });
});

describe('viewer-response', () => {
  const S3: Headers = { server: { value: 'AmazonS3' }, 'x-amz-request-id': { value: 'x' }, etag: { value: '"e"' } };
  const answer = (uri: string, statusCode: number, headers: Headers, sent: Headers = {}) => {
    const handler = load('viewer-response', {});
    const response = { statusCode, headers: structuredClone(headers) };
    const returned = handler({ request: { method: 'GET', uri, headers: sent, querystring: {} }, response, context });
    return valuesOf((returned as Answer).headers);
  };

  it.each([200, 304])('marks a result from the bucket (%d) as done, with the same CORS headers as the API', (status) => {
    expect(answer(RESULT, status, S3)).toEqual({
      ...lowerCase(CORS_HEADERS),
      'x-imagebuilder-status': 'done',
      'x-queue-position': '0',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': 'abc_d-e',
      server: 'AmazonS3',
      etag: '"e"',
    });
  });

  it.each([FILE, '/json/v1/overview.json'])('sets no build headers on %s', (uri) => {
    const headers = answer(uri, 200, S3);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['x-imagebuilder-status']).toBeUndefined();
  });

  it('leaves the answers of functions unchanged, except for the correlation id', () => {
    const own: Headers = { 'x-imagebuilder-status': { value: 'queued' }, 'x-correlation-id': { value: 'somebody-elses' } };
    expect(answer(RESULT, 202, own, { 'x-correlation-id': { value: 'mine' } })).toEqual({
      'x-imagebuilder-status': 'queued',
      'x-correlation-id': 'mine',
    });
  });

  it('does not mark a refusal of the bucket as a finished build', () => {
    expect(answer(RESULT, 416, S3)['x-imagebuilder-status']).toBeUndefined();
  });
});

describe.each(['viewer-request', 'viewer-response'])('%s in CloudFront', (name) => {
  it('is small enough and has no newer syntax', () => {
    expect(Buffer.byteLength(source(name))).toBeLessThanOrEqual(10_240);
    const lowered = transformSync(source(name), { target: 'es2016', minifyWhitespace: true }).code;
    expect(lowered).toBe(transformSync(source(name), { target: 'esnext', minifyWhitespace: true }).code);
  });
});

const valuesOf = (headers: Headers) => Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]));
const lowerCase = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
