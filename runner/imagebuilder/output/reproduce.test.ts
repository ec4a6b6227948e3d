import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImageCommand } from '#core/imagebuilder/commands.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { runTool } from '../process/run-tool.ts';
import { demoOrder } from '../testing/demo-order.ts';
import { reproduceScript } from './reproduce.ts';

let upstream: DemoUpstreamServer;
let directory: string;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  directory = await temporaryDirectory();
});
afterAll(() => upstream.close());

describe('reproduceScript', () => {
  it('makes the images when a person runs it', async () => {
    const defaults = "echo 'it'\"'\"'s' $(reboot) `reboot`\n";
    const request: Partial<BuildRequest> = { packages: ['vim'], defaults, filesystem: 'targz' };
    const order = await demoOrder(upstream.url, { ...request, version: '23.05.5' });
    const command = makeImageCommand({
      profile: 'generic',
      packages: ['vim'],
      extraImageName: 'abc',
      binDir: '/builder/x',
      files: '/builder/f',
    });
    const text = reproduceScript(
      order,
      command,
      {
        repositories: undefined,
        switchedOff: ['CONFIG_TARGET_ROOTFS_EXT4FS=y', 'CONFIG_TARGET_ROOTFS_SQUASHFS=y'],
      },
      'https://downloads.openwrt.org',
    );
    expect(text).toContain('https://downloads.openwrt.org/releases/23.05.5/targets/x86/64/openwrt-imagebuilder');

    // The script asks OpenWrt's own server. Here the demo stands in for that server, and Node for wget.
    const script = join(directory, 'reproduce.sh');
    const tarball = await fetch(`${upstream.url}/releases/23.05.5/targets/x86/64/${order.imagebuilder.name}`);
    await writeFile(join(directory, order.imagebuilder.name), Buffer.from(await tarball.arrayBuffer()));
    const local = text
      .replace('wget -c', ': wget -c')
      .replace('cd imagebuilder', `cd imagebuilder && sed -i 's|https://downloads.openwrt.org|${upstream.url}|' repositories.conf`);
    await writeFile(script, local);
    await runTool('sh', [script], { cwd: directory, signal: AbortSignal.timeout(50_000) });
    const made = await readdir(join(directory, 'imagebuilder', 'bin'));
    expect(made).toContain('openwrt-23.05.5-abc-x86-64-generic-rootfs.tar.gz');
    expect(made.filter((name) => name.includes('squashfs') || name.includes('ext4'))).toEqual([]);
    expect(await readFile(join(directory, 'imagebuilder', 'files/etc/uci-defaults/99-asu-defaults'), 'utf8')).toBe(defaults);
  });
});
