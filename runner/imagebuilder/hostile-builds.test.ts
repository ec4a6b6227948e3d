import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { MARKER, markerIn, siteOf } from '#runner/processes/build-marker.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import { runTool } from './process/run-tool.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, type SandboxLevel } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

const directory = await temporaryDirectory();
await mkdir(join(directory, 'probe'));
await runTool('chmod', ['0711', directory], { cwd: '/', signal: new AbortController().signal });
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());

const makerOf = (sandbox: SandboxLevel, name: string = sandbox): ImagebuilderMaker =>
  imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, name, 'cache'),
    workDirectory: join(directory, name, 'work'),
    keyDirectory: join(directory, name, 'keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    sandbox,
  });

async function make(maker: ImagebuilderMaker, request: Partial<BuildRequest>): Promise<{ output: BuildOutput; log: string }> {
  const lines: string[] = [];
  const order = await demoOrder(upstream.url, request);
  const output = await maker.make(
    order,
    demoBinDir(),
    { enter: () => undefined, log: (line) => lines.push(line) },
    new AbortController().signal,
  );
  return { output, log: lines.join('\n') };
}

const inRootfs = (output: BuildOutput, path: string): Promise<string> => {
  const tarball = output.files.find(({ name }) => name.endsWith('rootfs.tar.gz'))?.path ?? 'no rootfs tarball';
  return runTool('tar', ['-xzOf', tarball, `./${path}`], { cwd: '/', signal: new AbortController().signal });
};

/** Returns the lines of one section of what `reads-secrets` writes into the image. */
const section = (report: string, name: string): string[] => report.split(`[${name}]\n`)[1]?.split('\n[')[0]?.split('\n') ?? [];

const customFeed = async (names: { manager: 'opkg' | 'apk'; version: string }): Promise<Partial<BuildRequest>> => ({
  version: names.version,
  repositories: { custom: `${upstream.url}/custom/${names.manager}${names.manager === 'apk' ? '/packages.adb' : ''}` },
  repositories_mode: 'append',
  repository_keys: [await (await fetch(`${upstream.url}/custom/key.${names.manager === 'apk' ? 'pem' : 'pub'}`)).text()],
});

/**
 * Returns the `sleep` commands that run now for this directory of builds. Builds of other test runs on this machine
 * have other markers.
 */
async function sleepsOf(builds: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const pid of await readdir('/proc')) {
    const [command, environ] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const seconds = /^sleep\0(\d+)\0$/.exec(command ?? '')?.[1];
    if (seconds !== undefined && markerIn(environ ?? '')?.startsWith(siteOf(builds))) found.add(seconds);
  }
  return found;
}

describe.each(available.map(({ level, hasNamespaces }) => ({ level, hasNamespaces })))(
  'hostile packages in $level',
  ({ level, hasNamespaces }) => {
    it('leave no process, publish no link, and see nothing of ours', async () => {
      await writeFile(join(directory, 'ours'), 'ours');
      const { output, log } = await make(makerOf(level), {
        filesystem: 'targz',
        packages: ['reads-secrets', 'forks', 'forks-away', 'writes-symlink'],
      });
      const builds = join(directory, level, 'work', 'builds');
      expect(await sleepsOf(builds)).toEqual(new Set());

      expect(output.files.filter(({ name }) => name.includes('evil'))).toEqual([]);
      for (const name of ['directory', 'pipe.bin', 'sysupgrade.bin', 'tree']) expect(log).toContain(`openwrt-evil-${name}`);

      const report = await inRootfs(output, 'etc/reads-secrets.txt');
      // They ran under this marker during the build.
      expect(section(report, 'env').filter((line) => line.startsWith(`${MARKER}=${siteOf(builds)}.`))).toHaveLength(1);
      const processes = section(report, 'processes').join('\n');
      for (const seconds of ['31313', '31314']) expect(processes).toContain(`sleep ${seconds}`);
      const environment = section(report, 'env').map((line) => line.split('=')[0]);
      // Every process of these tests has these variables, including this one.
      for (const name of ['NODE_ENV', 'VITEST', 'VITEST_WORKER_ID', 'npm_config_user_agent']) expect(environment).not.toContain(name);
      const isRoot = process.getuid?.() === 0;
      if (level !== 'plain' || !isRoot) expect(section(report, 'files')).toContain('closed /etc/shadow');
      if (level === 'bwrap') {
        expect(section(report, 'directories')).toEqual(expect.arrayContaining(['closed /home', 'closed /root', 'closed /work']));
        expect(section(report, 'writable')).toContain('closed /usr');
      }
      if (hasNamespaces) expect(processes).not.toContain('vitest');
      await output.dispose();
    });
  },
);

describe('the signing key', () => {
  it('signs images of builds without custom repositories, and stays the same', async () => {
    const name = 'signing';
    const level = available[0]?.level ?? 'plain';
    const first = await make(makerOf(level, name), { filesystem: 'squashfs' });
    const restarted = makerOf(level, name);
    const second = await make(restarted, { filesystem: 'squashfs' });
    expect(second.output.profile.images).toEqual(first.output.profile.images);
    expect(first.output.profile.images.some((image) => image.sha256 !== image.sha256_unsigned)).toBe(true);
    expect(await restarted.publicKey()).toBe(await readFile(join(directory, name, 'keys', 'key-build.pub'), 'utf8'));
    await Promise.all([first.output.dispose(), second.output.dispose()]);
  });

  it('is absent from builds with custom repositories or keys: ImageBuilder makes another one', async () => {
    const level = available[0]?.level ?? 'plain';
    const ours = await make(makerOf(level, 'signing'), { filesystem: 'squashfs' });
    const { repository_keys = [] } = await customFeed({ manager: 'opkg', version: '24.10.2' });
    const other = await make(makerOf(level, 'signing'), { filesystem: 'squashfs', repository_keys });
    const signed = ({ output }: { output: BuildOutput }) => output.profile.images.filter((image) => image.sha256 !== image.sha256_unsigned);
    expect(signed(other).map((image) => image.sha256_unsigned)).toEqual(signed(ours).map((image) => image.sha256_unsigned));
    for (const [index, image] of signed(other).entries()) expect(image.sha256).not.toBe(signed(ours)[index]?.sha256);
    await Promise.all([ours.output.dispose(), other.output.dispose()]);
  });
});

describe.each(available.filter(({ level }) => level !== 'plain').map(({ level, hasNamespaces }) => ({ level, hasNamespaces })))(
  'custom repositories in $level',
  ({ level, hasNamespaces }) => {
    // Each sandbox is tested with one package manager, because sandboxes and package managers do not affect each other
    // here.
    it.each([
      level === available[0]?.level
        ? ({ manager: 'apk', version: '25.12.0' } as const)
        : ({ manager: 'opkg', version: '24.10.2' } as const),
    ])('work with $manager, without our key and without a trace in the caches', async (feed) => {
      const maker = makerOf(level);
      const packagesKept = () => readdir(join(directory, level, 'cache', 'fetched-packages'));
      const before = await packagesKept();
      const { output } = await make(maker, {
        ...(await customFeed(feed)),
        filesystem: 'targz',
        packages: ['custom-hello', 'custom-reads-secrets'],
      });
      expect(output.manifest).toHaveProperty('custom-hello');
      const report = await inRootfs(output, 'etc/reads-secrets.txt');
      expect(report).toContain('[end]');
      // The images are made without network where the sandbox can take it away.
      expect(section(report, 'interfaces').filter((line) => line !== '' && line !== 'lo').length > 0).toBe(
        !hasNamespaces && (await hasNetwork()),
      );
      await output.dispose();

      expect(await packagesKept()).toEqual(before);
      expect(maker.mustRetire()).toBe(!hasNamespaces);
      if (hasNamespaces) return;
      const refused = make(maker, { filesystem: 'squashfs' });
      await expect(refused).rejects.toThrow(InfrastructureFailure);
      await expect(refused).rejects.toThrow('takes no other');
    });
  },
);

describe('custom repositories in plain', () => {
  it('are refused', async () => {
    const refused = make(makerOf('plain'), { ...(await customFeed({ manager: 'opkg', version: '24.10.2' })), packages: ['custom-hello'] });
    await expect(refused).rejects.toThrow(BuildFailure);
    await expect(refused).rejects.toThrow('no sandbox');
  });
});

/** Returns whether this machine has any interface besides the loopback. A container may have none. */
const hasNetwork = async (): Promise<boolean> => {
  const text = await readFile('/proc/net/dev', 'utf8');
  return text.split('\n').some((line) => line.includes(':') && !line.trim().startsWith('lo:'));
};
