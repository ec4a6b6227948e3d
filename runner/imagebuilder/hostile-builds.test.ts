import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/build-output.ts';
import type { BuildRequest } from '#core/build-request.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import { runTool } from './run-tool.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, type SandboxLevel } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

const directory = await mkdtemp(join(tmpdir(), 'asu-hostile-'));
await mkdir(join(directory, 'probe'));
await runTool('chmod', ['0711', directory], { cwd: '/', signal: new AbortController().signal });
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(async () => {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

const makerOf = (sandbox: SandboxLevel, name: string = sandbox): ImagebuilderMaker =>
  imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, name, 'cache'),
    workDirectory: join(directory, name, 'work'),
    keyDirectory: join(directory, name, 'keys'),
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

/** Lines of one section of what `reads-secrets` writes into the image. */
const section = (report: string, name: string): string[] => report.split(`[${name}]\n`)[1]?.split('\n[')[0]?.split('\n') ?? [];

const customFeed = async (names: { manager: 'opkg' | 'apk'; version: string }): Promise<Partial<BuildRequest>> => ({
  version: names.version,
  repositories: { custom: `${upstream.url}/custom/${names.manager}${names.manager === 'apk' ? '/packages.adb' : ''}` },
  repositories_mode: 'append',
  repository_keys: [await (await fetch(`${upstream.url}/custom/key.${names.manager === 'apk' ? 'pem' : 'pub'}`)).text()],
});

const sleeping = async (seconds: string): Promise<boolean> => {
  for (const pid of await readdir('/proc')) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command === `sleep\0${seconds}\0`) return true;
  }
  return false;
};

describe.each(available.map(({ level, hasNamespaces }) => ({ level, hasNamespaces })))(
  'hostile packages in $level',
  ({ level, hasNamespaces }) => {
    it('leave no process, publish no link, and see nothing of ours', async () => {
      await writeFile(join(directory, 'ours'), 'ours');
      const { output, log } = await make(makerOf(level), { packages: ['reads-secrets', 'forks', 'forks-away', 'writes-symlink'] });
      expect(await sleeping('31313')).toBe(false);
      expect(await sleeping('31314')).toBe(false);

      expect(output.files.filter(({ name }) => name.includes('evil'))).toEqual([]);
      for (const name of ['directory', 'pipe.bin', 'sysupgrade.bin', 'tree']) expect(log).toContain(`openwrt-evil-${name}`);

      const report = await inRootfs(output, 'etc/reads-secrets.txt');
      const environment = section(report, 'env').map((line) => line.split('=')[0]);
      for (const name of Object.keys(process.env).filter((key) => key.includes('NODE') || key.includes('VITEST') || key.includes('npm')))
        expect(environment).not.toContain(name);
      const isRoot = process.getuid?.() === 0;
      if (level !== 'plain' || !isRoot) expect(section(report, 'files')).toContain('closed /etc/shadow');
      if (level === 'bwrap') {
        expect(section(report, 'directories')).toEqual(expect.arrayContaining(['closed /home', 'closed /root', 'closed /work']));
        expect(section(report, 'writable')).toContain('closed /usr');
      }
      if (hasNamespaces) expect(section(report, 'processes').join('\n')).not.toContain('vitest');
      await output.dispose();
    });

    it('sign with the server’s key, which stays the same', async () => {
      const maker = makerOf(level);
      const first = await make(maker, { filesystem: 'squashfs' });
      const second = await make(makerOf(level), { filesystem: 'squashfs' });
      expect(second.output.profile.images).toEqual(first.output.profile.images);
      expect(first.output.profile.images.some((image) => image.sha256 !== image.sha256_unsigned)).toBe(true);
      expect(await maker.publicKey()).toBe(await readFile(join(directory, level, 'keys', 'key-build.pub'), 'utf8'));
      await Promise.all([first.output.dispose(), second.output.dispose()]);
    });
  },
);

describe.each(available.filter(({ level }) => level !== 'plain').map(({ level, hasNamespaces }) => ({ level, hasNamespaces })))(
  'custom repositories in $level',
  ({ level, hasNamespaces }) => {
    it.each([
      { manager: 'opkg', version: '24.10.2' },
      { manager: 'apk', version: '25.12.0' },
    ] as const)('are used ($manager), without our key, without a trace in the caches', async (feed) => {
      const name = `${level}-${feed.manager}`;
      const maker = makerOf(level, name);
      const { output } = await make(maker, { ...(await customFeed(feed)), packages: ['custom-hello', 'custom-reads-secrets'] });
      expect(output.manifest).toHaveProperty('custom-hello');
      const report = await inRootfs(output, 'etc/reads-secrets.txt');
      expect(report).toContain('[end]');
      // Made by ImageBuilder for itself: not ours.
      if (feed.manager === 'opkg') expect(output.profile.images.some((image) => image.sha256 !== image.sha256_unsigned)).toBe(true);
      // The images are made without network, where it can be taken away.
      expect(section(report, 'interfaces').filter((line) => line !== '' && line !== 'lo').length > 0).toBe(
        !hasNamespaces && (await hasNetwork()),
      );
      await output.dispose();

      expect(await readdir(join(directory, name, 'cache', 'packages'))).toEqual([]);
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

/** Whether this machine has any interface besides the loopback: a container may not. */
const hasNetwork = async (): Promise<boolean> => {
  const text = await readFile('/proc/net/dev', 'utf8');
  return text.split('\n').some((line) => line.includes(':') && !line.trim().startsWith('lo:'));
};
