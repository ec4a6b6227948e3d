import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadAll, type Finished } from '#test/support/download.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** The standalone server with the real runner over the demo upstream's ImageBuilders: real make, real images. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ realImages: {}, env: { ALLOW_DEFAULTS: '1', WORKER_CONCURRENT: '2', REFUSE_IMPOSSIBLE: 'warn' } });
});
afterAll(() => server.close());

const X86 = { target: 'x86/64', profile: 'generic' };

interface Result extends Finished {
  readonly manifest: Record<string, string>;
  readonly build_cmd: string[];
  readonly forecast: string;
  readonly version_code: string;
  readonly images: { name: string; type: string; filesystem?: string; sha256: string }[];
}

async function built(body: object, query = ''): Promise<Result> {
  const { status, body: answer } = await server.build(body, query);
  if (status !== 200) throw new Error(`${status}: ${answer['detail']}\n${answer['stderr']}`);
  return answer as unknown as Result;
}

describe.each(['23.05.5', '24.10.2', '25.12.0', 'SNAPSHOT'])('%s', (version) => {
  it('makes images that hold the requested packages, in the versions that the index names', async () => {
    const result = await built({ ...X86, version, packages: ['vim', '-ppp', '-ppp-mod-pppoe', '-luci-proto-ppp'], filesystem: 'squashfs' });
    await downloadAll(server.url, result);
    expect(result.forecast).toBe('matched');
    expect(result.manifest).toHaveProperty('vim');
    expect(result.manifest).not.toHaveProperty('ppp');
    const path = version === 'SNAPSHOT' ? 'snapshots' : `releases/${version}`;
    const index = (await (await server.get(`/json/v1/${path}/targets/x86/64/index.json`)).json()) as { packages: Record<string, string> };
    const feeds = (await (await server.get(`/json/v1/${path}/packages/x86_64-index.json`)).json()) as Record<string, string>;
    const known = { ...feeds, ...index.packages };
    expect(Object.keys(index.packages).some((name) => name.startsWith('kmod-'))).toBe(true);
    // opkg's indexes have no kernel and no libc (docs/imagebuilder.md §10); owut does not compare them.
    for (const [name, installed] of Object.entries(result.manifest))
      if (known[name] !== undefined || !['kernel', 'libc'].includes(name)) expect([name, known[name]]).toEqual([name, installed]);
    const revision = (await (await server.get(`/api/v1/revision/${version}/x86/64`)).json()) as { revision: string };
    expect(result.version_code).toBe(revision.revision);
    expect(result.images.filter(({ filesystem }) => filesystem !== undefined && filesystem !== 'squashfs')).toEqual([]);
  });
});

describe('a request decides what is in the image', () => {
  it('defaults are in the image, and the answer is private', async () => {
    const { body, headers } = await server.build({
      ...X86,
      version: '24.10.2',
      filesystem: 'targz',
      defaults: "uci set system.@system[0].hostname='x'\n",
    });
    const result = body as unknown as Result;
    expect(headers.get('Cache-Control')).toBe('private, no-store');
    const rootfs = result.images.find(({ name }) => name.endsWith('rootfs.tar.gz'));
    const contents = await downloadAll(server.url, result);
    for (const { name } of result.images) {
      const image = await server.get(`/store/${result.bin_dir}/${name}`);
      await image.body?.cancel();
      expect(image.headers.get('Cache-Control')).toBe('private, no-store');
    }
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'rootfs.tar.gz'), contents[rootfs?.name ?? ''] ?? '');
    const { stdout } = await promisify(execFile)('tar', ['-xzOf', join(directory, 'rootfs.tar.gz'), './etc/uci-defaults/99-asu-defaults']);
    expect(stdout).toBe("uci set system.@system[0].hostname='x'\n");
    expect(server.lines.filter((line) => line.includes('hostname'))).toEqual([]);
  });

  it('diff_packages removes the defaults that were not requested, and prepare and build agree', async () => {
    const asked = {
      version: '24.10.2',
      target: 'ath79/generic',
      profile: '8dev,carambola2',
      diff_packages: true,
      packages: ['base-files', 'busybox', 'libc', 'kernel', 'dropbear', 'auc'],
    };
    const prepared = (await (await server.post('/api/v1/build/prepare', asked)).json()) as {
      prepared_request: object;
      request_hash: string;
      resolved_packages: string[];
    };
    const direct = await built(asked);
    const stepwise = await built(prepared.prepared_request, '?skip_package_resolution=true');
    expect(stepwise).toEqual(direct);
    const list =
      direct.build_cmd
        .find((word) => word.startsWith('PACKAGES='))
        ?.slice('PACKAGES='.length)
        .split(' ') ?? [];
    expect(list.filter((name) => !name.startsWith('-'))).toEqual([...prepared.resolved_packages].sort());
    expect(list).toContain('-ppp');
    expect(list).toContain('-kmod-usb-chipidea2');
    expect(direct.manifest).not.toHaveProperty('ppp');
    expect(direct.manifest).toHaveProperty('owut');
  });

  it('rootfs_size_mb and packages_versions are obeyed', async () => {
    const result = await built({
      ...X86,
      version: '24.10.2',
      rootfs_size_mb: 200,
      filesystem: 'ext4',
      packages_versions: { test1: '1.0-r1', vim: '' },
    });
    expect(result.build_cmd).toContain('ROOTFS_PARTSIZE=200');
    expect(result.manifest['test1']).toBe('1.0-r1');
    const detail = 'Error: Impossible package selection: test1 version not as requested: 0.9 vs. 1.0-r1';
    const wrong = await server.build({ ...X86, version: '24.10.2', packages_versions: { test1: '0.9' } });
    expect(wrong).toMatchObject({
      status: 422,
      body: { detail, stderr: detail, errors: [{ code: 'version_mismatch', packages: ['test1'], required: '0.9', found: '1.0-r1' }] },
    });
  });
});

describe('a build that cannot succeed', () => {
  it.each([
    ['24.10.2', ['foe-a', 'foe-b'], /^Error: Impossible package selection.*conflicts \(.*foe-/],
    ['25.12.0', ['foe-a', 'foe-b'], /^Error: Impossible package selection.*conflicts \(.*foe-/],
    ['24.10.2', ['clash-a', 'clash-b'], /^Error: Impossible package selection.*conflicts \(.*clash-/],
    ['25.12.0', ['needs-missing'], /^Error: Impossible package selection: missing \(/],
  ])('%s %j says why, and is remembered', async (version, packages, detail) => {
    const body = { ...X86, version, packages };
    const { status, headers, body: answer } = await server.build(body);
    expect([status, answer['status'], answer['imagebuilder_status'], headers.get('X-Imagebuilder-Status')]).toEqual([
      500,
      500,
      'failed',
      'failed',
    ]);
    expect(answer['detail']).toMatch(detail);
    expect(answer['errors']).not.toEqual([]);
    expect(String(answer['stderr']).length).toBeGreaterThan(0);
    const again = await server.post('/api/v1/build', body);
    expect([again.status, await again.json()]).toEqual([500, answer]);
  });

  it('is too big', async () => {
    const { status, body } = await server.build({ version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['huge'] });
    expect([status, body['detail']]).toEqual([500, expect.stringMatching(/^Error: Selected packages exceed device storage/)]);
  });
});

describe('trouble upstream', () => {
  it.each([
    ['a web page', { kind: 'html' }],
    ['wrong bytes', { kind: 'wrong-bytes' }],
    ['cut connections', { kind: 'truncated', announced: true }],
  ] as const)('%s instead of an ImageBuilder: retried, told, not remembered, and gone when it is over', async (_, fault) => {
    const fresh = await startTestServer({ realImages: { downloadAttempts: 1 }, env: { RETRY_DELAYS: '1s', REBUILD_PAUSE: '2s' } });
    const body = { ...X86, version: '24.10.2', packages: ['vim'] };
    try {
      await fresh.get('/json/v1/overview.json');
      fresh.upstream.faults.add(/openwrt-imagebuilder.*\.tar/, fault);
      const { status, body: answer, headers } = await fresh.build(body);
      expect([status, answer['imagebuilder_status']]).toEqual([500, 'failed']);
      expect(answer['detail']).toMatch(/ImageBuilder|sha256|SHA-256|download/i);
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      fresh.upstream.faults.clear();
      await delay(2_100);
      expect((await fresh.build(body)).status).toBe(200);
    } finally {
      await fresh.close();
    }
  });
});
