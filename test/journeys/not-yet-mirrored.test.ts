import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const PATH = 'releases/24.10.2';
const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };
const BOTH_PREPARES = ['/api/v1/build/prepare', '/api/v1/prepare'];

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

interface Branch {
  readonly versions: readonly string[];
  readonly targets: Readonly<Record<string, string>>;
  readonly imagebuilders?: Readonly<Record<string, unknown>>;
}
const branch = async (): Promise<Branch | undefined> => {
  const overview = (await (await server.get('/json/v1/overview.json')).json()) as { branches: Record<string, Branch> };
  return overview.branches['24.10'];
};

async function withoutImagebuilder(): Promise<void> {
  const sums = `${PATH}/targets/x86/64/sha256sums`;
  const text = await (await fetch(`${server.upstream.url}/${sums}`)).text();
  server.upstream.overlay(sums, text.replaceAll(/^.*imagebuilder.*\n/gm, ''));
}

/** Expects that every way to ask for the build refuses it, and says when to ask again. */
async function refusals(code: string, detail: RegExp) {
  for (const path of ['/api/v1/build', ...BOTH_PREPARES]) {
    const response = await server.post(path, X86);
    expect([path, response.status, response.headers.get('Retry-After')]).toEqual([path, 400, '3600']);
    const body = (await response.json()) as { detail: string };
    expect(body).toEqual({
      status: 400,
      title: 'Bad Request',
      detail: expect.stringMatching(detail),
      errors: [expect.objectContaining({ code, version: '24.10.2', detail: body.detail, retry_after_seconds: 3600 })],
    });
  }
}

describe('the newest version of a branch', () => {
  it('is announced and not mirrored yet: refused with that reason', async () => {
    server.upstream.faults.add(`/${PATH}`, { kind: 'status', status: 404 });
    await refusals('version_not_mirrored', /^Unsupported version: 24\.10\.2\. It has been announced, .* ask again in an hour/);
    expect((await branch())?.versions).toContain('24.10.2');
  });

  it('has a target in its list, and no files of it yet', async () => {
    server.upstream.faults.add(`/${PATH}/targets/x86/64`, { kind: 'status', status: 404 });
    await refusals('target_not_mirrored', /^Unsupported target: x86\/64\. .* but the download server does not have its files/);
  });
});

it('an older version that upstream does not have is gone, and not one to wait for', async () => {
  server.upstream.faults.add('/releases/24.10.0', { kind: 'status', status: 404 });
  const response = await server.post('/api/v1/build', { ...X86, version: '24.10.0' });
  expect([response.status, response.headers.get('Retry-After')]).toEqual([400, null]);
  expect(await response.json()).toEqual({ status: 400, title: 'Bad Request', detail: 'Unsupported version: 24.10.0' });
});

describe('a target without an ImageBuilder', () => {
  it('is prepared, with what is missing and when to ask again, and is not built', async () => {
    await withoutImagebuilder();
    for (const path of BOTH_PREPARES) {
      const response = await server.post(path, X86);
      expect(response.status).toBe(200);
      expect(((await response.json()) as Record<string, unknown>)['imagebuilder']).toEqual({
        available: false,
        revision: 'r28739-d9340319c6',
        detail: expect.stringMatching(/^Error: Image not found: no ImageBuilder of 24\.10\.2 for x86\/64\. .* try again/),
        retry_after_seconds: 3600,
      });
    }
    const refused = await server.post('/api/v1/build', X86);
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([400, '3600']);
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'imagebuilder_not_published', version: '24.10.2', target: 'x86/64' }] });
    expect((await branch())?.imagebuilders).toEqual({ 'x86/64': { version: '24.10.2', revision: 'r28739-d9340319c6', available: false } });
  });

  it('is built as soon as upstream has one', async () => {
    await withoutImagebuilder();
    expect((await server.post('/api/v1/build', X86)).status).toBe(400);
    server.upstream.restore();
    // The server does not ask upstream again about a copy that is younger than two seconds.
    await expect.poll(async () => (await server.post('/api/v1/build', X86)).status, { timeout: 20_000, interval: 500 }).toBe(202);
    expect((await branch())?.imagebuilders).toMatchObject({ 'x86/64': { available: true } });
  });
});

describe('the overview', () => {
  it('knows no ImageBuilders while the server has read no target', async () => {
    expect(await branch()).not.toHaveProperty('imagebuilders');
  });

  it('knows the ImageBuilders of the targets that the server has read, and asks upstream for no others', async () => {
    const answer = await (await server.post('/api/v1/prepare', X86)).json();
    expect(answer).toMatchObject({ imagebuilder: { available: true, revision: 'r28739-d9340319c6' } });
    server.upstream.clearRequests();
    const { targets, imagebuilders } = (await branch()) ?? {};
    expect(Object.keys(targets ?? {}).length).toBeGreaterThan(1);
    expect(imagebuilders).toEqual({ 'x86/64': { version: '24.10.2', revision: 'r28739-d9340319c6', available: true } });
    expect(server.upstream.requests.filter(({ path }) => path.includes('/targets/'))).toEqual([]);
  });
});
