import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoUpstreamDirectory } from './generate.ts';
import { demoCustomFeedKey } from './key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from './serve.ts';
import { removeUnpacked, run, type UnpackedImagebuilder, unpackImagebuilder } from './unpacked-imagebuilder.ts';

let upstream: DemoUpstreamServer;
let tree: string;
let x86: UnpackedImagebuilder;
let ath79: UnpackedImagebuilder;

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'));
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  tree = await demoUpstreamDirectory();
  upstream = await serveDemoUpstream({ directory: tree });
  x86 = await unpackImagebuilder(tree, 'releases/24.10.2/targets/x86/64', upstream.url);
  ath79 = await unpackImagebuilder(tree, 'releases/24.10.2/targets/ath79/generic', upstream.url);
}, 60_000);
afterAll(async () => {
  await upstream.close();
  await removeUnpacked();
});

describe('make info', () => {
  it('prints what OpenWrt 24.10 prints', async () => {
    const { code, stdout } = await ath79.make('info');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Current Target: "ath79/generic"\nCurrent Architecture: "mips"\nCurrent Revision: "r28739-d9340319c6"\nDefault Packages: base-files ',
    );
    expect(stdout).toContain(
      [
        'Available Profiles:',
        '',
        '8dev_carambola2:',
        '    8devices Carambola2',
        '    Packages: kmod-usb-chipidea2',
        '    hasImageMetadata: 1',
        '    SupportedDevices: 8dev,carambola2 carambola2',
        'buffalo_wzr-hp-g300nh-s:',
      ].join('\n'),
    );
  });

  it('prints no devices for a target without any', async () => {
    const { stdout } = await x86.make('info');
    expect(stdout).toMatch(/\ngeneric:\n {4}Generic x86\/64\n {4}Packages: kmod-fs-vfat\n {4}hasImageMetadata: 0\n$/);
  });
});

describe('make manifest', () => {
  it('lists every installed package in order, including dependencies', async () => {
    const { code, stdout } = await x86.make('manifest', 'PROFILE=generic', 'PACKAGES=luci -kmod-r8169');
    const lines = stdout.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines).toEqual([...lines].sort());
    expect(lines).toContain('luci - 25.160.12345~abcdef0');
    expect(lines).toContain('kernel - 6.6.93~a5b6c7d8e9f00112233445566778899a-r1');
    expect(lines).toContain('libubox20240329 - 2024.03.29~eb9bcb64-r1');
    expect(stdout).not.toContain('kmod-r8169');
    const stripped = await x86.make('manifest', 'STRIP_ABI=1');
    expect(stripped.stdout).toContain('\nlibubox - 2024.03.29~eb9bcb64-r1\n');
  });

  it('reads PACKAGES from the command line, not from the environment', async () => {
    const { stdout } = await run('make', ['manifest'], { cwd: x86.directory, env: { PACKAGES: 'vim' } });
    expect(stdout).toContain('base-files - ');
    expect(stdout).not.toContain('vim');
  });
});

describe('make image', () => {
  it('makes images that standard tools open and that contain the files of the requested packages', async () => {
    const bin = await x86.binDir();
    const files = join(bin, '..', 'files');
    await run('mkdir', ['-p', `${files}/etc/uci-defaults`]);
    await writeFile(`${files}/etc/uci-defaults/99-asu-defaults`, 'uci set demo=1\n');
    const { code } = await x86.make(
      'image',
      'PROFILE=generic',
      'PACKAGES=luci',
      'EXTRA_IMAGE_NAME=ABC 1_2',
      `BIN_DIR=${bin}`,
      `FILES=${files}`,
      'DISABLED_SERVICES=cron',
    );
    expect(code).toBe(0);

    const prefix = 'openwrt-24.10.2-abc-1-2-x86-64-generic';
    const rootfs = ['ext4', 'squashfs'].flatMap((filesystem) =>
      ['combined-efi', 'combined', 'rootfs'].map((type) => `${prefix}-${filesystem}-${type}.img.gz`),
    );
    const names = (await readdir(bin)).sort();
    expect(names).toEqual(
      [
        ...rootfs,
        `${prefix}-kernel.bin`,
        `${prefix}-rootfs.tar.gz`,
        `${prefix}.bom.cdx.json`,
        `${prefix}.manifest`,
        'profiles.json',
        'sha256sums',
      ].sort(),
    );

    const listing = await run('tar', ['-tvzf', join(bin, `${prefix}-rootfs.tar.gz`)]);
    expect(listing.stdout).toContain('./www/index.html');
    expect(listing.stdout).toContain('./etc/uci-defaults/99-asu-defaults');
    expect(listing.stdout).toContain('./etc/rc.d/S50dropbear -> ../init.d/dropbear');
    expect(listing.stdout).not.toContain('./etc/rc.d/S50cron');

    const combined = gunzipSync(await readFile(join(bin, `${prefix}-squashfs-combined.img.gz`)));
    expect(combined.readUInt16LE(510)).toBe(0xaa55);
    const rootAt = combined.readUInt32LE(446 + 16 + 8) * 512;
    const bytes = combined.readUInt32LE(446 + 16 + 12) * 512;
    expect(rootAt + bytes).toBe(combined.length);
    // Without mksquashfs the image contains ext4 instead.
    expect([combined.toString('latin1', rootAt, rootAt + 4), combined.readUInt16LE(rootAt + 1080)]).toSatisfy(
      ([squashfs, ext4]) => squashfs === 'hsqs' || ext4 === 0xef53,
    );

    const sums = await run('sha256sum', ['-c', 'sha256sums'], { cwd: bin });
    expect(sums.code).toBe(0);
    const profiles = await readJson(join(bin, 'profiles.json'));
    expect(profiles.version_code).toBe('r28739-d9340319c6');
    expect(profiles.profiles.generic.images).toHaveLength(8);
    for (const image of profiles.profiles.generic.images) {
      expect(sha256(await readFile(join(bin, image.name)))).toBe(image.sha256);
      expect(image.sha256 === image.sha256_unsigned).toBe(!image.type.startsWith('combined'));
    }
    expect(await readFile(join(bin, `${prefix}.manifest`), 'utf8')).toContain('libubox20240329 - ');
  });

  it('makes only the file systems that .config names', async () => {
    const config = join(x86.directory, '.config');
    const before = await readFile(config, 'utf8');
    await writeFile(
      config,
      before
        .replace('CONFIG_TARGET_ROOTFS_EXT4FS=y', '# CONFIG_TARGET_ROOTFS_EXT4FS is not set')
        .replace('CONFIG_TARGET_ROOTFS_TARGZ=y', ''),
    );
    const bin = await x86.binDir();
    const { code } = await x86.make('image', 'PROFILE=generic', `BIN_DIR=${bin}`, 'ROOTFS_FILESYSTEM=ext4');
    await writeFile(config, before);
    expect(code).toBe(0);
    const images = (await readJson(join(bin, 'profiles.json'))).profiles.generic.images;
    expect(images.map(({ name }: { name: string }) => name.slice('openwrt-24.10.2-x86-64-generic-'.length))).toEqual([
      'kernel.bin',
      'squashfs-combined-efi.img.gz',
      'squashfs-combined.img.gz',
      'squashfs-rootfs.img.gz',
    ]);
  });

  it('writes a package database with ABI versions, and metadata that fwtool reads', async () => {
    const bin = await ath79.binDir();
    const { code } = await ath79.make('image', 'PROFILE=DEVICE_8dev_carambola2', `BIN_DIR=${bin}`);
    expect(code).toBe(0);
    const status = await readFile(join(ath79.directory, 'build_dir/target-mips_24kc_musl/root-ath79/usr/lib/opkg/status'), 'utf8');
    expect(status).toMatch(/^Package: libubox20240329\nVersion: 2024\.03\.29~eb9bcb64-r1\n(?:.+\n)*ABIVersion: 20240329\n/m);
    expect(status).toContain('Status: install user installed');
    const image = await readFile(join(bin, 'openwrt-24.10.2-ath79-generic-8dev_carambola2-squashfs-sysupgrade.bin'));
    const signature = image.subarray(-16);
    expect(signature.toString('latin1', 0, 4)).toBe('FWx0');
    const metadata = image.subarray(0, -signature.readUInt32BE(12));
    expect(metadata.toString('latin1', metadata.length - 16, metadata.length - 12)).toBe('FWx0');
    const body = metadata.subarray(-metadata.readUInt32BE(metadata.length - 4) + 8, -16).toString();
    expect(JSON.parse(body)).toMatchObject({ supported_devices: ['8dev,carambola2', 'carambola2'], version: { target: 'ath79/generic' } });
  });

  it('works without network after make manifest, and makes the same images again', async () => {
    const online = await unpackImagebuilder(tree, 'releases/24.10.2/targets/ath79/generic', upstream.url);
    const offline = await serveDemoUpstream({ directory: tree });
    const moved = await unpackImagebuilder(tree, 'releases/24.10.2/targets/ath79/generic', offline.url);
    await moved.make('manifest', 'PROFILE=test', 'PACKAGES=htop');
    await offline.close();
    const [a, b] = [await online.binDir(), await moved.binDir()];
    const second = await moved.make('image', 'PROFILE=test', 'PACKAGES=htop', `BIN_DIR=${b}`);
    expect(second.code).toBe(0);
    expect(second.stderr).toContain('*** Failed to download the package list from ');
    await online.make('image', 'PROFILE=test', 'PACKAGES=htop', `BIN_DIR=${a}`);
    const unsigned = async (bin: string) =>
      (await readJson(join(bin, 'profiles.json'))).profiles.test.images.map((image: { sha256_unsigned: string }) => image.sha256_unsigned);
    expect(await unsigned(a)).toEqual(await unsigned(b));
  });

  it('uses the copies in the tarball if the machine has neither curl nor wget', async () => {
    const bare = join(x86.directory, '..', 'bare-path');
    await mkdir(bare);
    const tools = ['sh', 'bash', 'echo', 'make', 'env', 'awk', 'sed', 'tar', 'gzip', 'grep', 'find', 'xargs', 'sort', 'sha256sum', 'head'];
    const more = ['tail', 'cat', 'cp', 'mv', 'rm', 'mkdir', 'ln', 'paste', 'tr', 'wc', 'touch', 'base64', 'od', 'dirname'];
    for (const tool of [...tools, ...more]) {
      const found = ['/usr/bin', '/bin', '/usr/local/bin'].map((directory) => join(directory, tool)).find(existsSync);
      if (found) await symlink(found, join(bare, tool));
    }
    const lonely = await unpackImagebuilder(tree, 'releases/24.10.0/targets/mediatek/filogic', 'https://example.invalid');
    const { code, stdout, stderr } = await run('make', ['manifest', 'PROFILE=openwrt_one', 'PACKAGES=owut'], {
      cwd: lonely.directory,
      env: { PATH: bare },
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('owut - ');
  });
});

describe('custom feeds', () => {
  it('installs from a feed only if it has the key of the feed', async () => {
    const conf = join(ath79.directory, 'repositories.conf');
    const before = await readFile(conf, 'utf8');
    await appendFile(conf, `src/gz demo_custom ${upstream.url}/custom/opkg\n`);
    const refused = await ath79.make('manifest', 'PROFILE=test', 'PACKAGES=custom-hello');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Signature check failed.');
    expect(refused.stderr).toContain(' * opkg_install_cmd: Cannot install package custom-hello.');
    await writeFile(join(ath79.directory, 'keys', demoCustomFeedKey.id), demoCustomFeedKey.publicKey);
    const { code, stdout } = await ath79.make('manifest', 'PROFILE=test', 'PACKAGES=custom-hello');
    await writeFile(conf, before);
    expect(code).toBe(0);
    expect(stdout).toContain('custom-hello - 1.0-r1\n');
  });
});

describe('a failing build', () => {
  const failing = async (...args: string[]) => {
    const result = await x86.make('manifest', 'PROFILE=generic', ...args);
    expect(result.code).toBe(2);
    return result;
  };

  it('names an unknown profile on standard output', async () => {
    const { stdout } = await x86.make('image', 'PROFILE=nosuch');
    expect(stdout).toContain('Profile "nosuch" does not exist!\nUse "make info" to get a list of available profile names.\n');
  });

  it('names requested packages that do not exist', async () => {
    const { stderr } = await failing('PACKAGES=nosuchpkg1 luci nosuchpkg2');
    expect(stderr).toContain(
      'Collected errors:\n * opkg_install_cmd: Cannot install package nosuchpkg1.\n * opkg_install_cmd: Cannot install package nosuchpkg2.\nmake[2]: *** [Makefile:',
    );
  });

  it('names a dependency that does not exist', async () => {
    const { stderr } = await failing('PACKAGES=needs-missing');
    expect(stderr).toContain(
      [
        ' * pkg_hash_check_unresolved: cannot find dependency does-not-exist-anywhere for needs-missing',
        ' * pkg_hash_fetch_best_installation_candidate: Packages for needs-missing found, but incompatible with the architectures configured',
        ' * opkg_install_cmd: Cannot install package needs-missing.\n',
      ].join('\n'),
    );
  });

  it('names packages that conflict with each other', async () => {
    const { stderr } = await failing('PACKAGES=foe-a foe-b');
    expect(stderr).toContain(
      'Collected errors:\n * check_conflicts_for: The following packages conflict with foe-b:\n * check_conflicts_for: \tfoe-a * \n * opkg_install_cmd: Cannot install package foe-b.\n',
    );
  });

  it('names a file that two packages contain', async () => {
    const { stderr } = await failing('PACKAGES=clash-a clash-b');
    expect(stderr).toContain(
      `Collected errors:\n * check_data_file_clashes: Package clash-b wants to install file ${x86.directory}/build_dir/target-x86_64_musl/root-x86/etc/clash.conf\n\tBut that file is already provided by package  * clash-a\n * opkg_install_cmd: Cannot install package clash-b.\n`,
    );
    const full = await failing('PACKAGES=dnsmasq-full');
    expect(full.stderr).toContain('Package dnsmasq wants to install file');
    const replaced = await x86.make('manifest', 'PACKAGES=dnsmasq-full -dnsmasq');
    expect(replaced.code).toBe(0);
  });

  it('reports a full file system', async () => {
    for (const args of [['PACKAGES=huge'], ['ROOTFS_PARTSIZE=1']]) {
      const bin = await x86.binDir();
      const { code, stderr } = await x86.make('image', 'PROFILE=generic', ...args, `BIN_DIR=${bin}`);
      expect(code).toBe(2);
      expect(stderr).toMatch(/error: ext4_allocate_best_fit_partial: failed to allocate \d+ blocks, out of space\?/);
      expect(await readdir(bin)).toEqual(['openwrt-24.10.2-x86-64-generic-rootfs.tar.gz']);
    }
  });

  it('exits with 0 and makes no image if the flash is too small', async () => {
    const bin = await ath79.binDir();
    const { code, stderr } = await ath79.make('image', 'PROFILE=glinet_gl-ar150', 'PACKAGES=huge', `BIN_DIR=${bin}`);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^ {4}WARNING: Image file .* is too big: \d+ > 16384000$/m);
    expect((await readdir(bin)).filter((name) => /profiles\.json|\.bin$/.test(name))).toEqual([]);
  });

  it('does not report a squashfs that is larger than its partition', async () => {
    const bin = await x86.binDir();
    const config = join(x86.directory, '.config');
    const before = await readFile(config, 'utf8');
    await writeFile(config, before.replace('CONFIG_TARGET_ROOTFS_EXT4FS=y', '# CONFIG_TARGET_ROOTFS_EXT4FS is not set'));
    const { code, stdout, stderr } = await x86.make('image', 'PROFILE=generic', 'PACKAGES=huge', `BIN_DIR=${bin}`);
    await writeFile(config, before);
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(/too big|out of space/);
    const combined = gunzipSync(await readFile(join(bin, 'openwrt-24.10.2-x86-64-generic-squashfs-combined.img.gz')));
    const root = { at: combined.readUInt32LE(446 + 16 + 8) * 512, bytes: combined.readUInt32LE(446 + 16 + 12) * 512 };
    expect(root.at + root.bytes).toBeLessThan(combined.length);
    expect(JSON.stringify(await readJson(join(bin, 'profiles.json')))).toContain('squashfs-combined.img.gz');
  });

  it('fails if a package script fails', async () => {
    const { code, stderr } = await ath79.make('image', 'PROFILE=test', 'PACKAGES=fails-install', `BIN_DIR=${await ath79.binDir()}`);
    expect(code).toBe(2);
    expect(stderr).toContain('postinst script ./usr/lib/opkg/info/fails-install.postinst has failed with exit code 1');
  });

  it('fails if the feeds do not answer on the first run', async () => {
    upstream.faults.add('/Packages.gz', { kind: 'status', status: 503 });
    const fresh = await unpackImagebuilder(tree, 'releases/24.10.2/targets/x86/64', upstream.url);
    const { code, stderr } = await fresh.make('manifest', 'PACKAGES=vim');
    upstream.faults.clear();
    expect(code).toBe(2);
    expect(stderr).toContain(
      `*** Failed to download the package list from ${upstream.url}/releases/24.10.2/targets/x86/64/packages/Packages.gz`,
    );
    expect(stderr).toContain('Cannot install package vim.');
  });

  it('refuses packages and indexes with wrong bytes', async () => {
    upstream.faults.add(/htop_.*\.ipk$/, { kind: 'wrong-bytes' });
    upstream.faults.add(/luci\/Packages\.gz$/, { kind: 'truncated' });
    const fresh = await unpackImagebuilder(tree, 'releases/24.10.2/targets/x86/64', upstream.url);
    const htop = await fresh.make('manifest', 'PACKAGES=htop');
    const luci = await fresh.make('manifest', 'PACKAGES=luci');
    upstream.faults.clear();
    expect(htop.stderr).toContain('Failed to download htop.');
    expect(luci.stderr).toContain('Cannot install package luci.');
  });

  it('refuses a umask that breaks packages', async () => {
    const fresh = await unpackImagebuilder(tree, 'releases/24.10.2/targets/x86/64', upstream.url);
    const { code, stderr } = await run('sh', ['-c', 'umask 077; make image PROFILE=generic'], { cwd: fresh.directory });
    expect(code).toBe(2);
    expect(stderr).toContain('Please build with umask 022');
  });

  it('lets package scripts leave links and pipes among the images, and report what they see', async () => {
    const bin = await x86.binDir();
    const { code } = await x86.make('image', 'PROFILE=generic', 'PACKAGES=writes-symlink reads-secrets', `BIN_DIR=${bin}`);
    expect(code).toBe(0);
    expect((await lstat(join(bin, 'openwrt-evil-sysupgrade.bin'))).isSymbolicLink()).toBe(true);
    expect((await lstat(join(bin, 'openwrt-evil-pipe.bin'))).isFIFO()).toBe(true);
    const report = await run('tar', ['-xzOf', join(bin, 'openwrt-24.10.2-x86-64-generic-rootfs.tar.gz'), './etc/reads-secrets.txt']);
    expect(report.stdout).toMatch(/^\[env\]\n(.*\n)+\[processes\]\n(.*\n)+\[files\]\n(.*\n)+\[end\]\n$/m);
    expect(report.stdout).toContain('readable /etc/passwd');
  });

  it('passes shell metacharacters on like the real one, so callers must refuse them', async () => {
    const marker = join(x86.directory, 'injected');
    await x86.make('manifest', `PACKAGES=$(shell touch ${marker})`);
    expect((await lstat(marker)).isFile()).toBe(true);
  });
});
