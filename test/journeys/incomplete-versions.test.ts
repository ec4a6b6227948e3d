import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const json = async <T = unknown>(path: string) => (await server.get(path)).json() as Promise<T>;

interface Published {
  readonly name: string;
  readonly versions: readonly string[];
}
const overview = () => json<{ branches: Record<string, Published> }>('/json/v1/overview.json');
const build = (version: string, target = 'x86/64') =>
  server.post('/api/v1/build', { version, target, profile: 'generic', packages: ['vim'] });

describe('a branch whose snapshot upstream has deleted', () => {
  const GONE = '24.10-SNAPSHOT';

  it('is offered without it, and a request for it is answered about the version', async () => {
    server.upstream.faults.add(`/releases/${GONE}`, { kind: 'status', status: 404 });
    const { branches } = await overview();
    expect(branches['24.10']?.versions).toContain('24.10.2');
    for (const { versions } of [...Object.values(branches), ...(await json<Published[]>('/json/v1/branches.json'))])
      expect(versions.filter((version) => version.endsWith('-SNAPSHOT'))).toEqual([]);
    const refused = await build(GONE);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ detail: `Unsupported version: ${GONE}` });
    expect((await server.get(`/api/v1/revision/${GONE}/x86/64`)).status).toBe(404);
    expect((await server.get(`/json/v1/releases/${GONE}/targets/x86/64/generic.json`)).status).toBe(404);
  });

  it.each([
    ['fails', 503],
    ['shows no directories', 403],
  ])('is offered with it when upstream %s', async (_, status) => {
    server.upstream.faults.add(`/releases/${GONE}`, { kind: 'status', status });
    const { branches } = await overview();
    expect(branches['24.10']?.versions).toContain(GONE);
  });
});

describe('a version without a list of its targets', () => {
  const PATH = 'releases/24.10.2';
  beforeEach(() => server.upstream.remove(`${PATH}/.targets.json`));

  it('has the revisions, devices and builds of the targets that have a profiles.json', async () => {
    expect(await json('/api/v1/revision/24.10.2/x86/64')).toEqual({ revision: 'r28739-d9340319c6' });
    expect(await json(`/json/v1/${PATH}/targets/x86/64/generic.json`)).toMatchObject({ id: 'generic', arch_packages: 'x86_64' });
    expect(await json(`/json/v1/${PATH}/targets/x86/64/index.json`)).toMatchObject({ architecture: 'x86_64' });
    expect((await build('24.10.2')).status).toBe(202);
  });

  it('has the packages of the architectures whose feeds upstream has', async () => {
    const packages = await json<Record<string, string>>(`/json/v1/${PATH}/packages/x86_64-index.json`);
    expect(packages).toHaveProperty('vim');
    server.upstream.clearRequests();
    for (let number = 0; number < 3; number++) expect((await server.get(`/json/v1/${PATH}/packages/unheard-index.json`)).status).toBe(404);
    expect(server.upstream.requests.filter(({ path }) => path.includes('unheard'))).toHaveLength(1);
  });

  it('is not available as long as it is not known whether there are such feeds', async () => {
    server.upstream.faults.add(`/${PATH}/packages/mips_24kc/feeds.conf`, { kind: 'status', status: 503 });
    expect((await server.get(`/json/v1/${PATH}/packages/mips_24kc-index.json`)).status).toBe(503);
  });

  it('has no other targets', async () => {
    expect((await server.get('/api/v1/revision/24.10.2/x86/nothing')).status).toBe(404);
    expect((await server.get(`/json/v1/${PATH}/targets/x86/nothing/generic.json`)).status).toBe(404);
    expect(await (await build('24.10.2', 'x86/nothing')).json()).toMatchObject({
      status: 400,
      detail: expect.stringContaining('Unsupported target: x86/nothing'),
    });
  });
});

it('a listed version that upstream does not have is unsupported, whatever the target', async () => {
  server.upstream.faults.add('/releases/24.10.0', { kind: 'status', status: 404 });
  expect(await (await build('24.10.0')).json()).toMatchObject({ status: 400, detail: 'Unsupported version: 24.10.0' });
  server.upstream.clearRequests();
  for (let number = 0; number < 5; number++) await build('24.10.0', `x86/unheard${number}`);
  expect(server.upstream.requests.filter(({ path }) => path.includes('/targets/'))).toEqual([]);
});
