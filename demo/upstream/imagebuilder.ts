import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import type { DemoDistribution } from './distributions.ts';
import { demoUpstreamPem } from './key.ts';
import { apkIndex, opkgIndex, type PackedPackage, type PackingOptions } from './package-files.ts';
import { archFeeds } from './packages.ts';
import type { DemoProfile, DemoTarget } from './targets.ts';
import { fileMembers, type TarMember, tarArchive } from './ustar.ts';
import type { DemoVersion } from './versions.ts';

const sources = fileURLToPath(new URL('imagebuilder/', import.meta.url));

/** Returns the name of the directory for a version's kmods. */
export const kmodsDirectory = ({ kernel }: DemoVersion): string => `${kernel.version}-${kernel.release}-${kernel.vermagic}`;

/** Returns the directories that an ImageBuilder installs from, each with the name that opkg gives it. */
export function repositoryPaths(version: DemoVersion, target: DemoTarget): { name: string; path: string }[] {
  const base = `${version.path}/targets/${target.id}`;
  return [
    { name: 'openwrt_core', path: `${base}/packages` },
    { name: 'openwrt_base', path: `${version.path}/packages/${target.arch}/base` },
    ...(version.kmodsApart ? [{ name: 'openwrt_kmods', path: `${base}/kmods/${kmodsDirectory(version)}` }] : []),
    ...archFeeds
      .filter((feed) => feed !== 'base')
      .map((feed) => ({ name: `openwrt_${feed}`, path: `${version.path}/packages/${target.arch}/${feed}` })),
  ];
}

function configText(version: DemoVersion, target: DemoTarget, { official }: DemoDistribution): string {
  const [board = '', subtarget = ''] = target.id.split('/');
  const flag = (name: string, on: boolean) => (on ? `CONFIG_${name}=y` : `# CONFIG_${name} is not set`);
  const filesystem = (name: 'squashfs' | 'ext4' | 'targz') => target.filesystems.includes(name);
  return [
    '# Automatically generated file; DO NOT EDIT.',
    flag(`TARGET_${board}`, true),
    `CONFIG_TARGET_BOARD="${board}"`,
    `CONFIG_TARGET_SUBTARGET="${subtarget}"`,
    `CONFIG_ARCH="${target.cpu}"`,
    `CONFIG_TARGET_ARCH_PACKAGES="${target.arch}"`,
    flag('TARGET_ROOTFS_SQUASHFS', filesystem('squashfs')),
    flag('TARGET_ROOTFS_EXT4FS', filesystem('ext4')),
    flag('TARGET_ROOTFS_TARGZ', filesystem('targz')),
    flag('TARGET_ROOTFS_UBIFS', false),
    `CONFIG_TARGET_KERNEL_PARTSIZE=${target.id === 'x86/64' ? 16 : 64}`,
    `CONFIG_TARGET_ROOTFS_PARTSIZE=${target.rootfsPartsize}`,
    flag('GRUB_IMAGES', target.id === 'x86/64'),
    flag('GRUB_EFI_IMAGES', target.id === 'x86/64'),
    flag('USE_APK', version.manager === 'apk'),
    flag('SIGNATURE_CHECK', true),
    flag('JSON_OVERVIEW_IMAGE_INFO', true),
    flag('JSON_CYCLONEDX_SBOM', true),
    flag('IB', true),
    flag('VERSION_FILENAMES', version.version !== 'SNAPSHOT'),
    'CONFIG_VERSION_DIST="OpenWrt"',
    `CONFIG_VERSION_NUMBER="${version.version}"`,
    `CONFIG_VERSION_CODE="${version.revision}"`,
    `CONFIG_VERSION_REPO="${official}/${version.path}"`,
    '',
  ].join('\n');
}

function profileText(profile: DemoProfile, target: DemoTarget): string {
  const { id, vendor, model, variant, packages, supportedDevices, images, imageSize } = profile;
  return [
    `Target-Profile: DEVICE_${id}`,
    `Target-Profile-Name: ${[vendor, model, variant].filter(Boolean).join(' ')}`,
    `Target-Profile-Packages: ${packages.join(' ')}`,
    `Target-Profile-hasImageMetadata: ${target.id === 'x86/64' ? 0 : 1}`,
    `Target-Profile-SupportedDevices: ${supportedDevices.join(' ')}`,
    `Target-Profile-Vendor: ${vendor}`,
    `Target-Profile-Model: ${model}`,
    `Target-Profile-Variant: ${variant ?? ''}`,
    ...(imageSize === undefined ? [] : [`Target-Profile-Image-Size: ${imageSize}`]),
    ...images.map((image) => `Target-Profile-Image: ${image}`),
    'Target-Profile-Description:',
    '@@',
    '',
  ].join('\n');
}

function targetInfo(version: DemoVersion, target: DemoTarget): string {
  const [board = ''] = target.id.split('/');
  return [
    `Target: ${target.id}`,
    `Target-Board: ${board}`,
    `Target-Arch: ${target.cpu}`,
    `Target-Arch-Packages: ${target.arch}`,
    `Default-Packages: ${target.defaultPackages(version).join(' ')}`,
    '@@',
    '',
    ...target.profiles(version).map((profile) => profileText(profile, target)),
  ].join('\n');
}

/**
 * Returns .targetinfo as makefile variables, so that no run has to parse it. The real ImageBuilder makes this file on
 * first use.
 */
function profilesMk(version: DemoVersion, target: DemoTarget): string {
  const profiles = target.profiles(version);
  return [
    `PROFILES := ${profiles.map(({ id }) => id).join(' ')}`,
    `DEFAULT_PACKAGES := ${target.defaultPackages(version).join(' ')}`,
    ...profiles.map(({ id, packages }) => `PACKAGES_OF_${id} := ${packages.join(' ')}`),
    '',
  ].join('\n');
}

const versionMk = (version: DemoVersion) =>
  [
    '# What OpenWrt takes from include/version.mk, include/kernel-*.mk and the environment of its build.',
    `REVISION := ${version.revision}`,
    `SOURCE_DATE_EPOCH := ${version.sourceDateEpoch}`,
    `LINUX_VERSION := ${version.kernel.version}`,
    `LINUX_RELEASE := ${version.kernel.release}`,
    `LINUX_VERMAGIC := ${version.kernel.vermagic}`,
    'MANIFEST_STYLE := dash',
    `VERSION_IN_NAMES := ${version.version.toLowerCase()}`,
    `HAS_ROOTFS_FILESYSTEM := ${version.rootfsFilesystem ? 'y' : ''}`,
    '',
  ].join('\n');

function repositories(version: DemoVersion, target: DemoTarget, { official }: DemoDistribution): { name: string; text: string } {
  const paths = repositoryPaths(version, target);
  if (version.manager === 'apk') {
    return { name: 'repositories', text: `${paths.map(({ path }) => `${official}/${path}/packages.adb`).join('\n')}\n` };
  }
  const lines = paths.map(({ name, path }) => `src/gz ${name} ${official}/${path}`);
  const local = [
    '',
    '## This is the local package repository, do not remove!',
    'src imagebuilder file:packages',
    'option check_signature',
    '',
  ];
  return {
    name: 'repositories.conf',
    text: ['## Place your custom repositories here, they must match the architecture and version.', ...lines, ...local].join('\n'),
  };
}

/** Returns bytes that begin like a kernel and, like a kernel, hardly compress. */
function kernelBytes(version: DemoVersion, target: DemoTarget): Buffer {
  const blocks = Array.from({ length: target.kernelBlocks ?? 1536 }, (_, index) =>
    createHash('sha256').update(`${version.revision} ${target.id} ${index}`).digest(),
  );
  return Buffer.concat([Buffer.from(`Linux version ${version.kernel.version} (demo) ${version.revision}\n`), ...blocks]);
}

async function sourceFiles(): Promise<Record<string, { content: Buffer; mode?: number }>> {
  const names = (await readdir(sources, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = names.map((entry) => `${entry.parentPath}/${entry.name}`.replace(/\/+/g, '/'));
  const root = sources.replace(/\/$/, '');
  const files = await Promise.all(
    paths.map(
      async (path) =>
        [path.slice(root.length + 1), { content: await readFile(path), ...(path.endsWith('.sh') ? { mode: 0o755 } : {}) }] as const,
    ),
  );
  return Object.fromEntries(files);
}

/** Compresses with the machine's `xz`, since Node has zstd but not xz. */
function xz(content: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile('xz', ['-1', '-T1', '-c'], { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(content);
  });
}

/** Returns the ImageBuilder of one version and target: its file name and the bytes of the archive. */
export async function imagebuilderTarball(
  version: DemoVersion,
  target: DemoTarget,
  packages: readonly PackedPackage[],
  options: PackingOptions,
  offline: ReadonlyMap<string, Buffer>,
  distribution: DemoDistribution,
): Promise<{ name: string; content: Buffer }> {
  const number = version.version === 'SNAPSHOT' ? '' : `${version.version}-`;
  const directory = `${distribution.name}-imagebuilder-${number}${target.id.replace('/', '-')}.Linux-x86_64`;
  const repository = repositories(version, target, distribution);
  // The opkg ImageBuilder contains libc and kernel, which no feed has. The apk one also contains the base-files of its
  // own build.
  const own = packages.filter(({ name }) => name === 'libc' || name === 'kernel' || (version.manager === 'apk' && name === 'base-files'));
  const index = version.manager === 'apk' ? apkIndex(own, options) : opkgIndex(own, options);
  const text = (content: string) => ({ content: Buffer.from(content) });
  const build = `build_dir/target-${target.arch}_musl/linux-${target.id.replace('/', '_')}`;
  const files = {
    ...(await sourceFiles()),
    '.config': text(configText(version, target, distribution)),
    '.targetinfo': text(targetInfo(version, target)),
    '.profiles.mk': text(profilesMk(version, target)),
    'include/version.mk': text(versionMk(version)),
    [repository.name]: text(repository.text),
    ...(version.manager === 'apk'
      ? { 'keys/openwrt-demo.pem': text(demoUpstreamPem) }
      : { [`keys/${distribution.key.id}`]: text(distribution.key.publicKey) }),
    [`packages/.index`]: { content: index },
    ...Object.fromEntries(own.map(({ fileName, content }) => [`packages/${fileName}`, { content }])),
    [`${build}/vmlinux.bin`]: { content: kernelBytes(version, target) },
    ...Object.fromEntries([...offline].map(([path, content]) => [`staging_dir/host/share/offline/${path}`, { content }])),
  };
  const members: TarMember[] = fileMembers(files, `${directory}/`);
  const archive = tarArchive(members, version.sourceDateEpoch);
  const content = version.tarball === 'xz' ? await xz(archive) : zstdCompressSync(archive);
  return { name: `${directory}.tar.${version.tarball}`, content };
}
