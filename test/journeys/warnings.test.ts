import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };

let server: TestServer;
let release: () => void;
beforeAll(async () => {
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = await startTestServer({ imageMaker: scriptedImageMaker({ act: () => held }) });
});
afterAll(async () => {
  release();
  await server.close();
});

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe('two packages that conflict', () => {
  it.each([
    ['opkg', '24.10.2'],
    ['apk', '25.12.0'],
  ])('are warned of, as the index of %s declares it', async (_, version) => {
    const request = { ...X86, version, packages: ['foe-b', 'foe-a'] };
    const warnings = [
      { code: 'packages_conflict', severity: 'strong', detail: expect.stringContaining('foe-a'), packages: ['foe-a', 'foe-b'] },
    ];
    expect(await json(await server.post('/api/v1/build/prepare', request))).toMatchObject({ missing: [], warnings });
    const alone = { ...request, packages: ['foe-b', '-foe-a'] };
    expect(await json(await server.post('/api/v1/build/prepare', alone))).not.toHaveProperty('warnings');
  });
});

describe('a script that sends only its extras with diff_packages', () => {
  const request = { ...X86, packages: ['vim'], diff_packages: true };
  const warnings = [
    {
      code: 'essential_packages_missing',
      severity: 'strong',
      detail: expect.stringMatching(/base-files.*netifd.*dropbear/),
      packages: expect.arrayContaining(['base-files', 'dropbear', 'netifd', 'kmod-e1000e']),
    },
    { code: 'essential_packages_missing', severity: 'note', detail: expect.any(String), packages: ['dnsmasq', 'firewall4'] },
  ];

  it('reads a warning from prepare, from the 202, from a running build and from the result', async () => {
    for (const path of ['/api/v1/build/prepare', '/api/v1/prepare'])
      expect(await json(await server.post(path, request))).toMatchObject({ status: 'prepared', warnings });
    const accepted = await json(await server.post('/api/v1/build', request));
    expect(accepted).toMatchObject({ status: 202, warnings });
    const path = `/api/v1/build/${accepted['request_hash']}`;
    await expect.poll(async () => json(await server.get(path))).toMatchObject({ detail: 'started', warnings });
    release();
    expect((await server.build(request)).body).toMatchObject({ status: 200, warnings });
  });

  it('reads none when the same packages are added to the default ones', async () => {
    const added = { ...request, diff_packages: false };
    expect(await json(await server.post('/api/v1/build/prepare', added))).not.toHaveProperty('warnings');
    expect((await server.build(added)).body).not.toHaveProperty('warnings');
  });

  it('reads none when the list comes from a device, with versions and all', async () => {
    const profiles = await json(await fetch(`${server.upstream.url}/releases/24.10.2/targets/x86/64/profiles.json`));
    const { device_packages: own = [] } = (profiles['profiles'] as Record<string, { device_packages?: string[] }>)['generic'] ?? {};
    const names = [...(profiles['default_packages'] as string[]), ...own];
    const whole = { ...X86, diff_packages: true, packages_versions: Object.fromEntries(names.map((name) => [name, ''])) };
    expect(await json(await server.post('/api/v1/build/prepare', whole))).not.toHaveProperty('warnings');
  });
});
