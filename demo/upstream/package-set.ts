import type { Feed, PackageSpec } from './packages.ts';
import { packageSpecs } from './packages.ts';
import type { DemoTarget } from './targets.ts';
import { branches, type DemoVersion } from './versions.ts';

/** A package of one version and target, as its index describes it. */
export interface DemoPackage {
  /** The name, followed by the ABI version if there is one. */
  name: string;
  cleanName: string;
  version: string;
  architecture: string;
  feed: Feed;
  /** Names of packages as they are installed. The writer of each package format adds the version of the kernel. */
  depends: string[];
  provides: string[];
  conflicts: string[];
  installedSize: number;
  abi?: string;
  files: Record<string, { content: Buffer; mode?: number }>;
  postinst?: string;
}

const isPublished = ({ name, since, until, targets }: PackageSpec, version: DemoVersion, target: DemoTarget) => {
  const at = branches.indexOf(version.branch);
  return (
    (since === undefined || at >= branches.indexOf(since)) &&
    (until === undefined || at <= branches.indexOf(until)) &&
    (targets === undefined || targets.includes(target.id)) &&
    (target.publishes === undefined || target.publishes.includes(name))
  );
};

/** Returns the version of the kernel package, which ties the kmods to one build of the kernel. */
export function kernelPackageVersion({ revisionPrefix, kernel }: DemoVersion): string {
  return revisionPrefix === ''
    ? `${kernel.version}-${kernel.release}-${kernel.vermagic}`
    : `${kernel.version}~${kernel.vermagic}-r${kernel.release}`;
}

function packageVersion(spec: PackageSpec, version: DemoVersion): string {
  if (spec.name === 'base-files') return version.baseFilesRelease;
  if (spec.name === 'kernel') return kernelPackageVersion(version);
  if (spec.feed === 'kmods') return `${version.kernel.version}-${version.revisionPrefix}${version.kernel.release}`;
  if (spec.feed === 'luci') return version.luciVersion;
  // Up to 23.05, the version 2024.03.29~eb9bcb64 was written 2024-03-29-eb9bcb64.
  const upstream = version.revisionPrefix === '' ? spec.version.replace(/^(\d{4})\.(\d\d)\.(\d\d)~/, '$1-$2-$3-') : spec.version;
  return `${upstream}-${version.revisionPrefix}${spec.release}`;
}

function defaultFiles({ name, abi }: PackageSpec, { kernel }: DemoVersion): Record<string, string> {
  if (name.startsWith('kmod-')) return { [`lib/modules/${kernel.version}/${name.slice(5)}.ko`]: `demo module ${name}\n` };
  if (name.startsWith('lib')) return { [`usr/lib/${name}.so${abi === undefined ? '' : `.${abi}`}`]: `demo library ${name}\n` };
  return { [`usr/share/${name}/demo`]: `demo package ${name}\n` };
}

/** Returns the files of the root file system that differ between releases. */
function releaseFiles(version: DemoVersion, target: DemoTarget): Record<string, string> {
  return {
    'etc/openwrt_release': [
      "DISTRIB_ID='OpenWrt'",
      `DISTRIB_RELEASE='${version.version}'`,
      `DISTRIB_REVISION='${version.revision}'`,
      `DISTRIB_TARGET='${target.id}'`,
      `DISTRIB_ARCH='${target.arch}'`,
      `DISTRIB_DESCRIPTION='OpenWrt ${version.version} ${version.revision} (demo)'`,
      '',
    ].join('\n'),
    'etc/openwrt_version': `${version.revision}\n`,
    ...(version.manager === 'apk'
      ? {
          'etc/apk/repositories.d/distfeeds.list': `https://downloads.openwrt.org/${version.path}/packages/${target.arch}/base/packages.adb\n`,
          'etc/apk/world': '',
        }
      : { 'etc/opkg/distfeeds.conf': `src/gz openwrt_base https://downloads.openwrt.org/${version.path}/packages/${target.arch}/base\n` }),
  };
}

const isExecutable = (path: string) => /(^|\/)s?bin\//.test(path) || path.startsWith('etc/init.d/');

/** Returns every package that a version publishes for a target. */
export function packageSet(version: DemoVersion, target: DemoTarget): DemoPackage[] {
  const specs = packageSpecs.filter((spec) => isPublished(spec, version, target));
  const installedNames = new Map(specs.map(({ name, abi = '' }) => [name, `${name}${abi}`]));
  const all = version.manager === 'apk' ? 'noarch' : 'all';
  return specs.map((spec) => {
    const texts = {
      ...(spec.files ?? defaultFiles(spec, version)),
      ...(spec.name === 'base-files' ? releaseFiles(version, target) : {}),
    };
    const needsLibc = spec.feed !== 'imagebuilder' && spec.feed !== 'kmods';
    return {
      name: `${spec.name}${spec.abi ?? ''}`,
      cleanName: spec.name,
      version: packageVersion(spec, version),
      architecture: spec.allArchitectures === true ? all : target.arch,
      feed:
        spec.feed === 'kmods' && !version.kmodsApart
          ? 'target'
          : spec.feed === 'imagebuilder' && version.manager === 'apk'
            ? 'target'
            : spec.feed,
      depends: [...(needsLibc ? ['libc'] : []), ...spec.depends.map((name) => installedNames.get(name) ?? name)],
      provides: [...(spec.abi === undefined ? [] : [spec.name]), ...spec.provides],
      conflicts: spec.conflicts,
      installedSize: spec.sizeKb * 1024,
      ...(spec.abi === undefined ? {} : { abi: spec.abi }),
      files: Object.fromEntries(
        Object.entries(texts).map(([path, text]) => [path, { content: Buffer.from(text), ...(isExecutable(path) ? { mode: 0o755 } : {}) }]),
      ),
      ...(spec.postinst === undefined ? {} : { postinst: spec.postinst }),
    };
  });
}
