import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { demoCustomFeedKey, demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import { DEFAULTS, type ImagebuilderMakerOptions } from './maker-options.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

/** An upstream that fails, stalls or goes away while a build downloads its packages. */
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
afterEach(() => {
  upstream.faults.clear();
  upstream.clearRequests();
});

const makerOf = async (options: Partial<ImagebuilderMakerOptions> = {}) => makerIn(await temporaryDirectory(), options);

const makerIn = (directory: string, options: Partial<ImagebuilderMakerOptions>) =>
  imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, 'cache'),
    workDirectory: join(directory, 'work'),
    keyDirectory: join(directory, 'keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    downloadBackoffMs: 1,
    ...options,
  });

async function make(order: BuildOrder, maker: ImagebuilderMaker): Promise<BuildOutput> {
  const progress = { enter: () => undefined, log: () => undefined };
  try {
    return await maker.make(order, demoBinDir(), progress, new AbortController().signal);
  } catch (error) {
    if (error instanceof InfrastructureFailure) await error.evidence.dispose?.();
    throw error;
  }
}

/** Returns an order with the digests of the indexes, as build-submit makes it. */
async function orderOf(request: Partial<BuildRequest>): Promise<BuildOrder> {
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', ...request });
  const kernel = ((await (await fetch(`${upstream.url}/${order.versionPath}/targets/x86/64/profiles.json`)).json()) as Profiles)
    .linux_kernel;
  const kmods = `targets/x86/64/kmods/${kernel.version}-${kernel.release}-${kernel.vermagic}`;
  const feeds = ['base', 'luci', 'packages', 'routing', 'telephony'].map((feed) => `packages/x86_64/${feed}`);
  const index = request.version === '25.12.0' ? 'packages.adb' : 'Packages.gz';
  const indexes: Record<string, string> = {};
  for (const path of ['targets/x86/64/packages', kmods, ...feeds]) {
    const source = `${order.versionPath}/${path}/${index}`;
    const response = await fetch(`${upstream.url}/${source}`);
    if (response.ok)
      indexes[source] = createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer()))
        .digest('hex');
  }
  upstream.clearRequests();
  return { ...order, indexes };
}

interface Profiles {
  readonly linux_kernel: { readonly version: string; readonly release: string; readonly vermagic: string };
}

const FILES = /\.[ia]pk$|Packages\.(?:gz|sig)$|packages\.adb$/;
const filesAsked = () => upstream.requests.filter(({ path }) => FILES.test(path));

describe.each(['24.10.2', '25.12.0'])('a build of %s', (version) => {
  it('succeeds in one attempt over an upstream that fails one request in five', async () => {
    const order = await orderOf({ version, packages: ['luci', 'vim'] });
    upstream.faults.add(FILES, { kind: 'status', status: 503 }, { every: 5 });
    const output = await make(order, await makerOf());
    await output.dispose();
    const failed = filesAsked().filter(({ status }) => status === 503).length;
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBe(Math.floor(filesAsked().length / 5));
  });

  it('succeeds in one attempt over an upstream that stalls at an index and at packages', async () => {
    const order = await orderOf({ version, packages: ['vim'] });
    for (const stalled of [/base\/[Pp]ackages\.(?:gz|adb)$/, /\/vim.*pk$/, /\/luci.*pk$/])
      upstream.faults.add(stalled, { kind: 'hang' }, { times: 1 });
    upstream.faults.add(/\/libc.*pk$/, { kind: 'slow', ms: 0, bytesPerSecond: 40 }, { times: 1 });
    const output = await make(order, await makerOf({ stallMs: 500 }));
    await output.dispose();
    expect(filesAsked().filter(({ status }) => status === 0).length).toBeGreaterThan(1);
  });

  it('fails with the reason of its downloads, and asks for few packages, where upstream hangs at all of them', async () => {
    const order = await orderOf({ version, packages: ['luci', 'vim'] });
    upstream.faults.add(/\.[ia]pk$/, { kind: 'hang' });
    const failure = await make(order, await makerOf({ stallMs: 300, downloadAttempts: 2 })).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InfrastructureFailure);
    expect(failure).toMatchObject({ message: expect.stringMatching(/^Could not download /) });
    expect(filesAsked().filter(({ path }) => /\.[ia]pk$/.test(path)).length).toBeLessThanOrEqual(12);
  });

  it('keeps what an attempt has fetched for the next one', async () => {
    const order = await orderOf({ version, packages: ['vim', 'htop'] });
    const maker = await makerOf({ downloadAttempts: 1 });
    upstream.faults.add(/\/htop/, { kind: 'status', status: 503 });
    await expect(make(order, maker)).rejects.toThrow(InfrastructureFailure);
    const had = filesAsked().filter(({ status }) => status === 200);
    expect(had.length).toBeGreaterThan(10);
    // The attempt after it has packages in its `dl` when it fails.
    await expect(make(order, maker)).rejects.toThrow(InfrastructureFailure);
    upstream.faults.clear();
    const output = await make(order, maker);
    await output.dispose();
    const paths = filesAsked()
      .map(({ path, status }) => `${status} ${path}`)
      .filter((line) => line.startsWith('200'));
    expect(paths).toEqual([...new Set(paths)]);
  });
});

const probes = await temporaryDirectory();
const available = await availableSandboxes({ directory: probes, limits: DEFAULT_LIMITS, firstUid: DEFAULTS.firstUid });
const [strongest] = available.filter(({ allowsCustomRepositories }) => allowsCustomRepositories);

it.each(strongest === undefined ? [] : [strongest.level])(
  'a build with a repository of the client keeps the packages of OpenWrt for its next attempt (%s)',
  async (sandbox) => {
    const order = await orderOf({
      version: '24.10.2',
      packages: ['vim', 'custom-hello'],
      repositories_mode: 'append',
      repositories: { demo_custom: `${upstream.url}/custom/opkg` },
      repository_keys: [demoCustomFeedKey.publicKey],
    });
    const directory = await temporaryDirectory();
    // Without namespaces a runner takes one such build only, so each attempt has its own.
    const attempt = () => make(order, makerIn(directory, { downloadAttempts: 1, sandbox }));
    upstream.faults.add(/\/custom-hello/, { kind: 'status', status: 503 });
    await expect(attempt()).rejects.toThrow(InfrastructureFailure);
    const packages = () => filesAsked().filter(({ status, path }) => status === 200 && path.endsWith('.ipk'));
    const had = new Set(packages().map(({ path }) => path));
    expect(had.size).toBeGreaterThan(10);
    upstream.faults.clear();
    upstream.clearRequests();
    const output = await attempt();
    await output.dispose();
    expect(
      packages()
        .map(({ path }) => path)
        .filter((path) => had.has(path)),
    ).toEqual([]);
  },
);
