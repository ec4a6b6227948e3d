import { createHash } from 'node:crypto';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { writeApkIndex } from '#core/catalogue/testing/write-apk-index.ts';
import { type DemoKey, demoUpstreamKey, usignSignature } from './key.ts';
import type { DemoPackage } from './package-set.ts';
import { fileMembers, tarArchive } from './ustar.ts';

/** A package and its file. */
export interface PackedPackage extends DemoPackage {
  fileName: string;
  content: Buffer;
  sha256: string;
}

/** The properties of a version that determine its packages and indexes. */
export interface PackingOptions {
  manager: 'opkg' | 'apk';
  time: number;
  kernelVersion: string;
}

/** Returns the SHA-256 as lower-case hex. */
export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

const kernelPin = (dependency: string, pin: string) => (dependency === 'kernel' ? pin : dependency);

function controlFields(entry: DemoPackage, { kernelVersion }: PackingOptions): string[] {
  const depends = entry.depends.map((name) => kernelPin(name, `kernel (= ${kernelVersion})`));
  return [
    `Package: ${entry.name}`,
    `Version: ${entry.version}`,
    ...(depends.length > 0 ? [`Depends: ${depends.join(', ')}`] : []),
    ...(entry.conflicts.length > 0 ? [`Conflicts: ${entry.conflicts.join(', ')}`] : []),
    ...(entry.provides.length > 0 ? [`Provides: ${entry.provides.join(', ')}`] : []),
    'License: GPL-2.0',
    `Section: ${entry.feed === 'kmods' ? 'kernel' : entry.feed}`,
    ...(entry.abi === undefined ? [] : [`ABIVersion: ${entry.abi}`]),
    ...(['base-files', 'libc', 'kernel'].includes(entry.name) ? ['Essential: yes'] : []),
    `Architecture: ${entry.architecture}`,
    `Installed-Size: ${entry.installedSize}`,
  ];
}

const description = ({ cleanName }: DemoPackage) =>
  `Description:  ${cleanName}, as the demo upstream has it.\n It holds a few small files.`;

/**
 * The line with which the package scripts of OpenWrt begin. opkg runs a script during installation, and ImageBuilder
 * runs it once more after all packages are installed.
 */
const NOT_YET = '[ "$IPKG_NO_SCRIPT" = 1 ] && exit 0\n';

/** Returns the script with this line, which a package need not have: a script with the marker runs each time. */
const opkgScript = (text: string): string =>
  text.includes('# At any time') ? text : text.replace(/^#!.*\n/, (interpreter) => `${interpreter}${NOT_YET}`);

/** Returns an .ipk in the form that ipkg-build writes: a gzipped tar of three members. */
function ipk(entry: DemoPackage, options: PackingOptions): Buffer {
  const { time } = options;
  const control = `${[...controlFields(entry, options), description(entry)].join('\n')}\n`;
  const controlFiles = {
    control: { content: Buffer.from(control) },
    ...(entry.postinst === undefined ? {} : { postinst: { content: Buffer.from(opkgScript(entry.postinst)), mode: 0o755 } }),
  };
  return gzipSync(
    tarArchive(
      [
        { name: './debian-binary', content: Buffer.from('2.0\n') },
        { name: './data.tar.gz', content: gzipSync(tarArchive(fileMembers(entry.files), time)) },
        { name: './control.tar.gz', content: gzipSync(tarArchive(fileMembers(controlFiles), time)) },
      ],
      time,
    ),
  );
}

function apkDepends(entry: DemoPackage, { kernelVersion }: PackingOptions): string[] {
  return [...entry.depends.map((name) => kernelPin(name, `kernel=${kernelVersion}`)), ...entry.conflicts.map((name) => `!${name}`)];
}

/**
 * Returns an .apk in the format of apk 2 (two gzipped tars). OpenWrt's own use the format of apk 3, which only apk can
 * unpack.
 */
function apk(entry: DemoPackage, options: PackingOptions): Buffer {
  const info = [
    `pkgname = ${entry.name}`,
    `pkgver = ${entry.version}`,
    `arch = ${entry.architecture}`,
    `size = ${entry.installedSize}`,
    ...apkDepends(entry, options).map((name) => `depend = ${name}`),
    ...entry.provides.map((name) => `provides = ${name}`),
    '',
  ].join('\n');
  const control = [
    { name: '.PKGINFO', content: Buffer.from(info) },
    ...(entry.postinst === undefined ? [] : [{ name: '.post-install', content: Buffer.from(entry.postinst), mode: 0o755 }]),
  ];
  return Buffer.concat([
    gzipSync(tarArchive(control, options.time, { end: false })),
    gzipSync(tarArchive(fileMembers(entry.files, ''), options.time)),
  ]);
}

/** Returns the package together with its file. */
export function packPackage(entry: DemoPackage, options: PackingOptions): PackedPackage {
  const isApk = options.manager === 'apk';
  const content = isApk ? apk(entry, options) : ipk(entry, options);
  const fileName = isApk ? `${entry.name}-${entry.version}.apk` : `${entry.name}_${entry.version}_${entry.architecture}.ipk`;
  return { ...entry, fileName, content, sha256: sha256(content) };
}

const byName = (a: DemoPackage, b: DemoPackage) => (a.name < b.name ? -1 : 1);

/** Returns opkg's index, which ends with an empty line. */
export function opkgIndex(packages: readonly PackedPackage[], options: PackingOptions): Buffer {
  const stanzas = [...packages]
    .sort(byName)
    .map((entry) =>
      [
        ...controlFields(entry, options),
        `Filename: ${entry.fileName}`,
        `Size: ${entry.content.length}`,
        `SHA256sum: ${entry.sha256}`,
        description(entry),
      ].join('\n'),
    );
  return Buffer.from(`${stanzas.join('\n\n')}\n\n`);
}

/**
 * Returns the index that the demo's own apk reads: the lines of apk 2's APKINDEX, plus `H:` (SHA-256) and `F:` (file
 * name).
 */
export function apkIndex(packages: readonly PackedPackage[], options: PackingOptions): Buffer {
  const stanzas = [...packages].sort(byName).map((entry) => {
    const depends = apkDepends(entry, options);
    return [
      `C:Q1${createHash('sha1').update(entry.content).digest('base64')}`,
      `P:${entry.name}`,
      `V:${entry.version}`,
      `A:${entry.architecture}`,
      `S:${entry.content.length}`,
      `I:${entry.installedSize}`,
      `T:${entry.cleanName}, as the demo upstream has it.`,
      'U:https://openwrt.org/',
      'L:GPL-2.0',
      `o:${entry.cleanName}`,
      `t:${options.time}`,
      ...(entry.abi === undefined ? [] : [`g:openwrt:abiversion=${entry.abi}`]),
      ...(depends.length > 0 ? [`D:${depends.join(' ')}`] : []),
      ...(entry.provides.length > 0 ? [`p:${entry.provides.join(' ')}`] : []),
      `H:${entry.sha256}`,
      `F:${entry.fileName}`,
    ].join('\n');
  });
  return Buffer.from(`${stanzas.join('\n\n')}\n\n`);
}

/**
 * Returns `packages.adb`: an index in the format of apk-tools 3. A second block, which readers of indexes skip,
 * contains the text for the demo's own apk. As in real files, the blocks are a deflate stream after "ADBd". The demo
 * adds gzip's checksum and length at the end, so that `gzip -d` can check the stream.
 */
function adb(packages: readonly PackedPackage[], options: PackingOptions): Buffer {
  const listed = [...packages].sort(byName).map(({ name, version, architecture, depends, provides, abi, conflicts }) => ({
    name,
    version,
    arch: architecture,
    depends,
    provides,
    // OpenWrt's packages provide other names in their own version.
    providesVersion: version,
    tags: abi === undefined ? [] : [`openwrt:abiversion=${abi}`],
    ...(conflicts.length > 0 && { conflicts }),
  }));
  const index = Buffer.from(writeApkIndex(listed, apkIndex(packages, options)));
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(index), 0);
  trailer.writeUInt32LE(index.length, 4);
  return Buffer.concat([Buffer.from('ADBd'), deflateRawSync(index), trailer]);
}

/** Returns index.json. Package names include the ABI version in form 1, and not in form 2. */
function jsonIndex(packages: readonly DemoPackage[], architecture: string, indexVersion: 1 | 2): Buffer {
  const entries = [...packages].sort(byName).map((entry) => [indexVersion === 1 ? entry.name : entry.cleanName, entry.version]);
  const body = { ...(indexVersion === 2 ? { version: 2 } : {}), architecture, packages: Object.fromEntries(entries) };
  return Buffer.from(`${JSON.stringify(body, null, 1)}\n`);
}

/** Returns every file in the directory of one feed. */
export function feedFiles(
  packages: readonly PackedPackage[],
  architecture: string,
  options: PackingOptions & { indexVersion: 1 | 2; key?: DemoKey },
): Map<string, Buffer> {
  const files = new Map(packages.map(({ fileName, content }) => [fileName, content]));
  files.set('index.json', jsonIndex(packages, architecture, options.indexVersion));
  if (options.manager === 'apk') return files.set('packages.adb', adb(packages, options));
  const index = opkgIndex(packages, options);
  return files
    .set('Packages', index)
    .set('Packages.gz', gzipSync(index))
    .set('Packages.sig', usignSignature(index, options.key ?? demoUpstreamKey));
}
