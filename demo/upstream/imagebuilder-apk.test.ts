import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoUpstreamDirectory } from './generate.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from './serve.ts';
import { removeUnpacked, run, type UnpackedImagebuilder, unpackImagebuilder } from './unpacked-imagebuilder.ts';

let upstream: DemoUpstreamServer;
let tree: string;
let x86: UnpackedImagebuilder;

beforeAll(async () => {
  tree = await demoUpstreamDirectory();
  upstream = await serveDemoUpstream({ directory: tree });
  x86 = await unpackImagebuilder(tree, 'releases/25.12.0/targets/x86/64', upstream.url);
}, 60_000);
afterAll(async () => {
  await upstream.close();
  await removeUnpacked();
});

describe('an ImageBuilder with apk', () => {
  it('makes a manifest, and then images without network, with the package database of apk', async () => {
    const manifest = await x86.make('manifest', 'PROFILE=generic', 'PACKAGES=luci');
    expect(manifest.code).toBe(0);
    expect(manifest.stdout).toContain('apk-mbedtls - 3.0.3-r1\n');
    expect(manifest.stdout).toContain('kernel - 6.12.71~c0ffee5d2a7be8f90123456789abcdef-r1\n');
    upstream.faults.add('/', { kind: 'reset' });
    const bin = await x86.binDir();
    const image = await x86.make('image', 'PROFILE=generic', 'PACKAGES=luci', `BIN_DIR=${bin}`);
    upstream.faults.clear();
    expect(image.code).toBe(0);
    expect(await readFile(join(bin, 'openwrt-25.12.0-x86-64-generic.manifest'), 'utf8')).toBe(manifest.stdout);
    const installed = await readFile(join(x86.directory, 'build_dir/target-x86_64_musl/root-x86/lib/apk/db/installed'), 'utf8');
    expect(installed).toMatch(/^P:libubox20240329\nV:2024\.03\.29~eb9bcb64-r1\n(?:.+\n)*g:openwrt:abiversion=20240329\n/m);
    const profiles = JSON.parse(await readFile(join(bin, 'profiles.json'), 'utf8'));
    // The ImageBuilder with apk makes no key-build, so no image is signed.
    expect(
      profiles.profiles.generic.images.every(({ sha256, sha256_unsigned }: Record<string, string>) => sha256 === sha256_unsigned),
    ).toBe(true);
  });

  it('names packages that cannot be selected', async () => {
    const unknown = await x86.make('manifest', 'PACKAGES=nosuchpkg1 nosuchpkg2');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain(
      'ERROR: unable to select packages:\n  nosuchpkg1 (no such package):\n    required by: world[nosuchpkg1]\n  nosuchpkg2 (no such package):\n    required by: world[nosuchpkg2]\nmake[2]: *** [Makefile:',
    );
    const dependency = await x86.make('manifest', 'PACKAGES=needs-missing');
    expect(dependency.stderr).toContain(
      'ERROR: unable to select packages:\n  does-not-exist-anywhere (no such package):\n    required by: needs-missing-1.0-r1[does-not-exist-anywhere]\n',
    );
    const foes = await x86.make('manifest', 'PACKAGES=foe-a foe-b');
    expect(foes.stderr).toContain(
      [
        'ERROR: unable to select packages:',
        '  foe-b-1.0-r1:',
        '    breaks: foe-a-1.0-r1[!foe-b]',
        '    satisfies: world[foe-b]',
        '  foe-a-1.0-r1:',
        '    breaks: foe-b-1.0-r1[!foe-a]',
        '    satisfies: world[foe-a]\n',
      ].join('\n'),
    );
    const clash = await x86.make('manifest', 'PACKAGES=clash-a clash-b');
    expect(clash.stderr).toContain(
      'ERROR: clash-b-1.0-r1: trying to overwrite etc/clash.conf owned by clash-a-1.0-r1.\nmake[2]: *** [Makefile:',
    );
    const script = await x86.make('image', 'PACKAGES=fails-install', `BIN_DIR=${await x86.binDir()}`);
    expect(script.code).toBe(2);
  });

  it('installs from additional repositories', async () => {
    await appendFile(join(x86.directory, 'repositories'), `${upstream.url}/custom/apk/packages.adb\n`);
    const { code, stdout } = await x86.make('manifest', 'PACKAGES=custom-hello');
    expect(code).toBe(0);
    expect(stdout).toContain('custom-hello - 1.0-r1\n');
  });
});

describe('versions', () => {
  it('SNAPSHOT honours ROOTFS_FILESYSTEM and leaves the version out of names', async () => {
    const snapshot = await unpackImagebuilder(tree, 'snapshots/targets/x86/64', upstream.url);
    const bin = await snapshot.binDir();
    const { code } = await snapshot.make('image', 'PROFILE=generic', 'ROOTFS_FILESYSTEM=squashfs', `BIN_DIR=${bin}`);
    expect(code).toBe(0);
    const names = await readdir(bin);
    expect(names).toContain('openwrt-x86-64-generic-squashfs-combined.img.gz');
    expect(names).toContain('openwrt-x86-64-generic-targz-rootfs.tar.gz');
    expect(names.filter((name) => name.includes('ext4'))).toEqual([]);
    const refused = await snapshot.make('image', 'PROFILE=generic', 'ROOTFS_FILESYSTEM=jffs2', `BIN_DIR=${bin}`);
    expect(refused.code).toBe(2);
    expect(refused.stdout).toBe('Filesystem "jffs2" is not available!\nAvailable filesystems: squashfs ext4 targz\n');
    // ImageBuilders before May 2026 do not know the variable.
    const ignored = await x86.make('image', 'PROFILE=generic', 'ROOTFS_FILESYSTEM=jffs2', `BIN_DIR=${await x86.binDir()}`);
    expect(ignored.code).toBe(0);
  });

  it.each([
    ['releases/23.05.5/targets/ath79/generic', 'auc luci-app-opkg', 'kernel - 5.15.167-1-03ba5b5fee47f2232a088e3cd9832aec'],
    ['releases/24.10.0/targets/mediatek/filogic', 'owut luci', 'fitblk - 2-r1'],
    ['releases/24.10-SNAPSHOT/targets/x86/64', 'luci', 'base-files - 1652~4d7a0e1c52'],
  ])('%s builds', async (target, packages, line) => {
    const imagebuilder = await unpackImagebuilder(tree, target, upstream.url);
    const bin = await imagebuilder.binDir();
    const { code } = await imagebuilder.make('image', `PACKAGES=${packages}`, `BIN_DIR=${bin}`);
    expect(code).toBe(0);
    const names = await readdir(bin);
    expect(names).toContain('profiles.json');
    const manifest = names.find((name) => name.endsWith('.manifest')) ?? '';
    expect(await readFile(join(bin, manifest), 'utf8')).toContain(`${line}\n`);
    const sums = await run('sha256sum', ['-c', 'sha256sums'], { cwd: bin });
    expect(sums.code).toBe(0);
  });
});
