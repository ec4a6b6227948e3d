import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fewerDefaults } from '#test/support/fewer-defaults.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const UPGRADE = {
  version: '24.10.2',
  from_version: '23.05.5',
  target: 'x86/64',
  profile: 'generic',
  diff_packages: true,
  honor_defaults: true,
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await fewerDefaults(server.upstream, 'releases/23.05.5/targets/x86/64', ['partx-utils', 'mkf2fs', 'kmod-fs-vfat']);
});
afterAll(() => server.close());

const answer = async (path: string, body: object) => (await (await server.post(path, body)).json()) as Record<string, unknown>;

async function defaultsOf(version: string): Promise<string[]> {
  const url = `${server.upstream.url}/releases/${version}/targets/x86/64/profiles.json`;
  const document = (await (await fetch(url)).json()) as {
    default_packages: string[];
    profiles: { generic: { device_packages: string[] } };
  };
  return [...document.default_packages, ...document.profiles.generic.device_packages];
}

describe('an upgrade with the list of the device', () => {
  it('gets what upstream has added to the defaults, with the same hash from both ways to prepare, and builds it', async () => {
    const wanted = ['kmod-fs-vfat', 'partx-utils'];
    const packages = [...(await defaultsOf('23.05.5')), '-mkf2fs'];
    const prepared = await answer('/api/v1/build/prepare', { ...UPGRADE, packages });
    const alone = await answer('/api/v1/prepare', { ...UPGRADE, packages });
    const additions = (prepared['changes'] as { type: string; package: string }[]).filter(({ type }) => type === 'addition');
    expect(additions.map((change) => change.package).sort()).toEqual(wanted);
    expect(prepared['resolved_packages']).toEqual(expect.arrayContaining(wanted));
    expect(alone).toEqual(expect.objectContaining({ changes: prepared['changes'], request_hash: prepared['request_hash'] }));

    const built = await server.build({ ...UPGRADE, packages });
    expect([built.status, built.body['request_hash']]).toEqual([200, prepared['request_hash']]);
    const request = built.body['request'] as Record<string, unknown>;
    expect(request['packages']).toEqual(prepared['resolved_packages']);
    expect(request).not.toHaveProperty('honor_defaults');
    const again = await server.post('/api/v1/build?skip_package_resolution=true', prepared['prepared_request']);
    expect([again.status, ((await again.json()) as Record<string, unknown>)['request_hash']]).toEqual([200, prepared['request_hash']]);
  });

  it('stays as it is for a client that skips the resolution, and for one that does not ask', async () => {
    const body = { ...UPGRADE, packages: ['base-files', 'busybox', 'vim'] };
    const { honor_defaults: _, ...plain } = body;
    const hashes = [
      (await answer('/api/v1/build?skip_package_resolution=true', body))['request_hash'],
      (await answer('/api/v1/build', plain))['request_hash'],
      (await answer('/api/v1/build', { ...body, honor_defaults: 'no' }))['request_hash'],
    ];
    expect(new Set(hashes).size).toBe(1);
    expect((await answer('/api/v1/build/prepare', body))['request_hash']).not.toBe(hashes[0]);
  });

  it('is warned when upstream does not have the old version', async () => {
    const body = { ...UPGRADE, from_version: '22.03.99', packages: await defaultsOf('24.10.2') };
    const warning = { code: 'defaults_not_compared', severity: 'strong', detail: expect.stringContaining('22.03.99') };
    for (const path of ['/api/v1/build/prepare', '/api/v1/prepare'])
      expect(await answer(path, body)).toMatchObject({ changes: [], warnings: [warning] });
    expect(await answer('/api/v1/build', body)).toMatchObject({ status: 202, warnings: [warning] });
  });
});
