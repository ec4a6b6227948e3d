import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildRequest } from '#core/request/build-request.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { imagebuilderMaker } from './imagebuilder-maker.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, type SandboxLevel } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

/**
 * The keys that the image maker knows. These tests show which parts of the machine's network package scripts reach, in
 * every step that runs them.
 */
const known = [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey];
const directory = await mkdtemp(join(tmpdir(), 'asu-reach-'));
await chmod(directory, 0o711);
await mkdir(join(directory, 'probe'));
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });

/** The address of this machine in its network, where it has one. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

let upstream: DemoUpstreamServer;
let abstract: Server;
let neighbour: Server;
const name = `asu-reach-${process.pid}`;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  abstract = createServer();
  await new Promise<void>((resolve) => abstract.listen(`\0${name}`, resolve));
  neighbour = createServer();
  await new Promise<void>((resolve) => neighbour.listen(0, ownAddress ?? '127.0.0.1', resolve));
});
afterAll(async () => {
  abstract.close();
  neighbour.close();
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

/**
 * Returns a script that reports what it reaches each time it runs. "credentials" says whether the kernel has a route to
 * their address.
 */
const probe = (): string => {
  const loopback = new URL(upstream.url).port;
  const { address, port } = neighbour.address() as AddressInfo;
  return `#!/bin/sh
say() { echo "probe$IPKG_NO_SCRIPT: $*" >&2; }
bash -c 'exec 3<>/dev/tcp/127.0.0.1/${loopback}' 2>/dev/null && say loopback reached || say loopback closed
bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null && say network reached || say network closed
grep -q '@${name}$' /proc/net/unix && say abstract reached || say abstract closed
bash -c 'exec 3<>/dev/udp/169.254.169.254/80' 2>/dev/null && say credentials reached || say credentials closed
wget=$TOPDIR/staging_dir/host/bin/wget
sh "$wget" -q -T 5 -O /dev/null ${upstream.url}/.versions.json && say unlisted reached || say unlisted closed
exit 0
`;
};

async function build(level: SandboxLevel, request: Partial<BuildRequest>, keys = known, at: string = level) {
  const maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, at, 'cache'),
    workDirectory: join(directory, at, 'work'),
    keyDirectory: join(directory, at, 'keys'),
    keys,
    sandbox: level,
  });
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', ...request });
  const lines: string[] = [];
  const progress = { enter: () => undefined, log: (line: string) => lines.push(line) };
  const output = await maker.make(order, demoBinDir(), progress, new AbortController().signal);
  await output.dispose();
  return { said: lines.filter((line) => line.startsWith('probe')), durations: output.durations };
}

describe.each(available.map(({ level, hasNamespaces }) => ({ level, hasNamespaces })))('in $level', ({ level, hasNamespaces }) => {
  it.each([
    // opkg runs scripts as it installs, with IPKG_NO_SCRIPT=1, for the manifest and for the image; ImageBuilder runs
    // them once more.
    { version: '24.10.2', runs: ['probe1', 'probe1', 'probe'] },
    { version: '25.12.0', runs: ['probe'] },
  ])('scripts of $version reach what they should', async ({ version, runs }) => {
    const { said, durations } = await build(level, {
      version,
      packages: ['runs-defaults', 'vim'],
      packages_versions: { vim: (await upstreamVersion(version)) ?? '' },
      defaults: probe(),
    });
    expect(durations).toHaveProperty('make_manifest');
    const reach = hasNamespaces ? 'closed' : 'reached';
    const credentials = hasNamespaces ? 'closed' : await ofThisMachine();
    expect(said).toEqual(
      runs.flatMap((run) => [
        ...['loopback', 'network', 'abstract'].map((place) => `${run}: ${place} ${reach}`),
        `${run}: credentials ${credentials}`,
        `${run}: unlisted closed`,
      ]),
    );
  });
});

/** Returns whether this machine has a route to the credential address itself. Without one no build can have it. */
const ofThisMachine = async (): Promise<string> => {
  const { stderr } = await promisify(execFile)('sh', ['-c', probe()], { env: { PATH: '/usr/bin:/bin', TOPDIR: '/nonexistent' } });
  return /^probe: credentials (\w+)$/m.exec(stderr)?.[1] ?? '';
};

const upstreamVersion = async (version: string): Promise<string | undefined> => {
  const index = await (await fetch(`${upstream.url}/releases/${version}/packages/x86_64/packages/index.json`)).json();
  return (index as { packages: Record<string, string> }).packages['vim'];
};

describe('an ImageBuilder without the signature of a known key', () => {
  it('is refused in plain, and nothing of it stays', async () => {
    await expect(build('plain', {}, [], 'unsigned')).rejects.toMatchObject({
      isFinal: true,
      message: expect.stringContaining('no good signature of a known key'),
    });
    expect(await readdir(join(directory, 'unsigned', 'cache', 'imagebuilders'))).toEqual([]);
  });

  it('is refused in plain even when a server that knows its key has put it into the cache', async () => {
    await build('plain', {}, known, 'cached');
    await expect(build('plain', {}, [], 'cached')).rejects.toThrow('it is not run');
  });

  it.each(available.filter(({ level }) => level !== 'plain').map(({ level }) => level))('is run in %s', async (level) => {
    expect((await build(level, {}, [], `unsigned-${level}`)).said).toEqual([]);
  });
});
