import { afterEach, describe, expect, it } from 'vitest';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { target: 'x86/64', profile: 'generic' };

let server: TestServer;
afterEach(() => server.close());

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe('a request whose packages cannot be installed', () => {
  it.each([
    ['24.10.2', ['foe-a', 'foe-b'], { code: 'package_conflict', packages: ['foe-a', 'foe-b'] }, / conflicts \(foe-a, foe-b\)/],
    ['25.12.0', ['foe-a', 'foe-b'], { code: 'package_conflict', packages: ['foe-a', 'foe-b'] }, / conflicts \(foe-a, foe-b\)/],
    ['25.12.0', ['needs-missing'], { code: 'dependency_missing', packages: ['needs-missing'] }, / missing \(/],
  ])('%s %j is refused before anything is queued', async (version, packages, error, detail) => {
    server = await startTestServer();
    const response = await server.post('/api/v1/build', { ...X86, version, packages });
    const body = await json(response);
    expect([response.status, body]).toEqual([422, expect.objectContaining({ status: 422, errors: [expect.objectContaining(error)] })]);
    expect(body['detail']).toMatch(/^Error: Impossible package selection:/);
    expect(body['detail']).toMatch(detail);
    expect(body['stderr']).toBe(body['detail']);
    expect(await json(await server.get('/api/v1/stats'))).toMatchObject({ queue_length: 0 });
    const prepared = await json(await server.post('/api/v1/build/prepare', { ...X86, version, packages }));
    expect(prepared).toMatchObject({ status: 'prepared', verdict: 'no', installed: [], problems: [expect.any(Object)] });
  });

  it('is refused only after upstream was asked once more', async () => {
    server = await startTestServer();
    await server.post('/api/v1/build/prepare', { ...X86, version: '24.10.2', packages: ['vim'] });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    server.upstream.clearRequests();
    expect((await server.post('/api/v1/build', { ...X86, version: '24.10.2', packages: ['vim'] })).status).toBe(202);
    expect(server.upstream.requests).toEqual([]);
    expect((await server.post('/api/v1/build', { ...X86, version: '24.10.2', packages: ['foe-a', 'foe-b'] })).status).toBe(422);
    expect(server.upstream.requests.map(({ path }) => path)).toContain('/releases/24.10.2/targets/x86/64/profiles.json');
  });

  it('is built with a warning where the operator wants that', async () => {
    server = await startTestServer({ env: { REFUSE_IMPOSSIBLE: 'warn' }, imageMaker: scriptedImageMaker() });
    const response = await server.post('/api/v1/build', { ...X86, version: '24.10.2', packages: ['foe-a', 'foe-b'] });
    const warnings = expect.arrayContaining([expect.objectContaining({ code: 'packages_impossible', severity: 'strong' })]);
    expect([response.status, await json(response)]).toEqual([202, expect.objectContaining({ warnings })]);
  });

  it('is built with repositories of its own, which the server does not know', async () => {
    server = await startTestServer({ env: { REPOSITORY_ALLOW_LIST: 'https://example.org/' } });
    const repositories = { mine: 'https://example.org/packages' };
    const request = { ...X86, version: '24.10.2', packages: ['foe-a', 'foe-b'], repositories };
    expect((await server.post('/api/v1/build', request)).status).toBe(202);
    expect(await json(await server.post('/api/v1/build/prepare', request))).toMatchObject({ verdict: 'unsure', problems: [] });
  });
});
