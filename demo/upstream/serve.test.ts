import { readdir, readlink } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from './serve.ts';

const PATH = '/releases/24.10.2/targets/x86/64/profiles.json';

let server: DemoUpstreamServer;
const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Returns the files of the demo upstream that this process holds open. */
async function openFiles(): Promise<string[]> {
  const opened = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return opened.filter((path) => path.endsWith(PATH));
}

beforeAll(async () => {
  server = await serveDemoUpstream();
}, 60_000);
afterEach(() => {
  server.faults.clear();
  server.restore();
  server.clearRequests();
});
afterAll(() => server.close());

describe('files', () => {
  it('are sent with length, type and validators, and answered with 304 when the client has them', async () => {
    const response = await get(PATH);
    const body = await bytes(response);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('content-length')).toBe(String(body.length));
    const etag = response.headers.get('etag') ?? '';
    const modified = response.headers.get('last-modified') ?? '';
    expect((await get(PATH, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await get(PATH, { headers: { 'if-modified-since': modified } })).status).toBe(304);
    expect((await get(PATH, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    expect(server.requests.map(({ method, status }) => `${method} ${status}`)).toEqual(['GET 200', 'GET 304', 'GET 304', 'GET 200']);
  });

  it('are sent in ranges, and answered to HEAD without a body', async () => {
    const whole = await bytes(await get(PATH));
    const part = await get(PATH, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.length}`);
    expect(await bytes(part)).toEqual(whole.subarray(10, 20));
    expect(await bytes(await get(PATH, { headers: { range: 'bytes=-5' } }))).toEqual(whole.subarray(-5));
    expect(await bytes(await get(PATH, { headers: { range: 'bytes=7-' } }))).toEqual(whole.subarray(7));
    expect((await get(PATH, { headers: { range: `bytes=${whole.length}-` } })).status).toBe(416);
    expect((await get(PATH, { headers: { range: 'bytes=0-1', 'if-range': '"old"' } })).status).toBe(200);
    const head = await get(PATH, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(whole.length));
    expect(await bytes(head)).toHaveLength(0);
  });

  it('that do not exist are 404 with an HTML page; directories are listed; nothing outside the tree is served', async () => {
    const missing = await get('/releases/99.99/.targets.json');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toBe('text/html');
    expect(await (await get('/releases/')).text()).toContain('href="/releases/24.10.2/"');
    expect((await get('/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd')).status).toBe(404);
    expect((await get('/%ff')).status).toBe(400);
    expect((await get(PATH, { method: 'POST' })).status).toBe(405);
  });

  it('are closed when the client has gone away before the answer', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => warnings.push(message);
    process.on('warning', onWarning);
    server.faults.add(PATH, { kind: 'slow', ms: 50 });
    const asked = Array.from({ length: 5 }, () => get(PATH, { signal: AbortSignal.timeout(10) }));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(asked.map(() => 'rejected'));
    // The server opens the file for this client after it opened it for those.
    expect((await get(PATH)).status).toBe(200);
    await expect.poll(openFiles).toEqual([]);
    // Node closes a forgotten file too, with a warning.
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('can be replaced and removed for one server', async () => {
    const before = await get(PATH);
    server.overlay(PATH, '{"version_code":"r1-new"}');
    const after = await get(PATH);
    expect(await after.json()).toEqual({ version_code: 'r1-new' });
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    server.remove(PATH);
    expect((await get(PATH)).status).toBe(404);
    server.restore();
    expect((await get(PATH)).status).toBe(200);
  });
});

describe('faults', () => {
  it('occur on the paths they match, as often as requested', async () => {
    server.faults.add('profiles.json', { kind: 'status', status: 503 }, { times: 2 });
    expect([(await get(PATH)).status, (await get('/.versions.json')).status, (await get(PATH)).status, (await get(PATH)).status]).toEqual([
      503, 200, 503, 200,
    ]);
  });

  it('occur at each so many-th request that matches', async () => {
    server.faults.add('profiles.json', { kind: 'status', status: 503 }, { every: 3 });
    const statuses: number[] = [];
    for (let request = 0; request < 6; request++) statuses.push((await get(PATH)).status, (await get('/.versions.json')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 503, 200, 200, 200, 200, 200, 503, 200]);
  });

  it('html and body replace the content', async () => {
    server.faults.add(/profiles\.json$/, { kind: 'html' }, { times: 1 });
    const page = await get(PATH);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
    server.faults.add(PATH, { kind: 'body', body: '{"profiles":[]}' });
    expect(await (await get(PATH)).json()).toEqual({ profiles: [] });
  });

  it('truncated ends early, with or without a Content-Length', async () => {
    const whole = await bytes(await get(PATH));
    server.faults.add(PATH, { kind: 'truncated', bytes: 100 }, { times: 1 });
    await expect(get(PATH).then(bytes)).rejects.toThrow();
    server.faults.add(PATH, { kind: 'truncated', announced: false });
    const short = await get(PATH);
    expect(short.headers.get('content-length')).toBeNull();
    expect(await bytes(short)).toEqual(whole.subarray(0, Math.floor(whole.length / 2)));
  });

  it('wrong-bytes keeps the length', async () => {
    const whole = await bytes(await get(PATH));
    server.faults.add(PATH, { kind: 'wrong-bytes' });
    const wrong = await bytes(await get(PATH));
    expect(wrong).toHaveLength(whole.length);
    expect(wrong.equals(whole)).toBe(false);
  });

  it('no-range sends the whole file', async () => {
    server.faults.add(PATH, { kind: 'no-range' });
    expect((await get(PATH, { headers: { range: 'bytes=1-2' } })).status).toBe(200);
  });

  it('slow sends the whole file in the end', async () => {
    const whole = await bytes(await get(PATH));
    server.faults.add(PATH, { kind: 'slow', ms: 10, bytesPerSecond: whole.length * 10 });
    expect(await bytes(await get(PATH))).toEqual(whole);
  });

  it('reset and hang give no answer; close ends hanging requests', async () => {
    server.faults.add(PATH, { kind: 'reset' }, { times: 1 });
    await expect(get(PATH)).rejects.toThrow();
    expect(server.requests.at(-1)?.status).toBe(0);
    const other = await serveDemoUpstream();
    other.faults.add('/', { kind: 'hang' });
    const hanging = fetch(`${other.url}${PATH}`).then(
      () => 'answered',
      () => 'ended',
    );
    await expect.poll(() => other.requests.length).toBe(1);
    await other.close();
    expect(await hanging).toBe('ended');
  });
});
