import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DemoDistribution, OPENWRT, OTHERWRT } from './distributions.ts';
import { imagebuilderTarball, kmodsDirectory, repositoryPaths } from './imagebuilder.ts';
import { demoCustomFeedKey, demoCustomFeedPem, usignSignature } from './key.ts';
import { feedFiles, type PackedPackage, type PackingOptions, packPackage, sha256 } from './package-files.ts';
import { type DemoPackage, kernelPackageVersion, packageSet } from './package-set.ts';
import { archFeeds, customPackages } from './packages.ts';
import { type DemoTarget, demoTargets, imageName } from './targets.ts';
import { type DemoVersion, demoVersions, publishedVersions } from './versions.ts';

type Tree = Map<string, Buffer>;

const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

const addAll = (tree: Tree, directory: string, files: ReadonlyMap<string, Buffer>) => {
  for (const [name, content] of files) tree.set(`${directory}/${name}`, content);
};

function profilesJson(version: DemoVersion, target: DemoTarget): { profiles: unknown; images: Tree } {
  const images: Tree = new Map();
  const published = target.profiles(version).map((profile) => {
    const list = profile.images.map((image) => {
      const facts = imageName(version, target, profile, image);
      const content = Buffer.from(`A placeholder of the demo upstream for ${facts.name}. Ask the server to build one.\n`);
      images.set(facts.name, content);
      return { ...facts, sha256: sha256(content), sha256_unsigned: sha256(content) };
    });
    const [{ name: first = '' } = {}] = list;
    return [
      profile.id,
      {
        device_packages: profile.packages,
        image_prefix: first.slice(0, first.indexOf(profile.id) + profile.id.length),
        images: list,
        supported_devices: profile.supportedDevices,
        titles: [{ model: profile.model, ...(profile.variant === undefined ? {} : { variant: profile.variant }), vendor: profile.vendor }],
      },
    ] as const;
  });
  const profiles = {
    arch_packages: target.arch,
    default_packages: target.defaultPackages(version).sort(),
    linux_kernel: version.kernel,
    metadata_version: 1,
    profiles: Object.fromEntries(published),
    source_date_epoch: version.sourceDateEpoch,
    target: target.id,
    version_code: version.revision,
    version_number: version.version,
  };
  return { profiles, images };
}

async function addTarget(tree: Tree, version: DemoVersion, target: DemoTarget, distribution: DemoDistribution): Promise<void> {
  const options: PackingOptions = { manager: version.manager, time: version.sourceDateEpoch, kernelVersion: kernelPackageVersion(version) };
  const packages = packageSet(version, target).map((entry) => packPackage(entry, options));
  const feed = (wanted: PackedPackage['feed']) => packages.filter((entry) => entry.feed === wanted);
  const indexed = (list: PackedPackage[]) =>
    feedFiles(list, target.arch, { ...options, indexVersion: version.indexVersion, key: distribution.key });

  const directory = `${version.path}/targets/${target.id}`;
  const { profiles, images } = profilesJson(version, target);
  const local: Tree = new Map(images);
  addAll(local, 'packages', indexed(feed('target')));
  if (version.kmodsApart) addAll(local, `kmods/${kmodsDirectory(version)}`, indexed(feed('kmods')));
  const arch: Tree = new Map();
  for (const name of archFeeds) addAll(arch, `${version.path}/packages/${target.arch}/${name}`, indexed(feed(name)));
  arch.set(
    `${version.path}/packages/${target.arch}/feeds.conf`,
    Buffer.from(archFeeds.map((name) => `src-git-full ${name} https://git.openwrt.org/feed/${name}.git\n`).join('')),
  );

  const published: Tree = new Map(arch);
  addAll(published, directory, local);
  // The tarball contains a copy of its repositories, for machines that have neither wget nor curl.
  const repositories = repositoryPaths(version, target).map(({ path }) => path);
  const offline = new Map(
    [...published].filter(([path]) => repositories.includes(dirname(path)) && !/\/(Packages|index\.json)$/.test(path)),
  );
  const tarball = await imagebuilderTarball(version, target, packages, options, offline, distribution);

  local.set(tarball.name, tarball.content);
  local.set('profiles.json', json(profiles));
  local.set('version.buildinfo', Buffer.from(`${version.revision}\n`));
  local.set('feeds.buildinfo', Buffer.from(archFeeds.map((name) => `src-git ${name} https://git.openwrt.org/feed/${name}.git\n`).join('')));
  local.set('config.buildinfo', Buffer.from(`CONFIG_TARGET_${target.id.replace('/', '_')}=y\n`));
  const names = [...local.keys()].sort();
  const sums = Buffer.from(names.map((name) => `${sha256(local.get(name) ?? '')} *${name}\n`).join(''));
  local.set('sha256sums', sums);
  local.set('sha256sums.sig', usignSignature(sums, distribution.key));

  addAll(tree, directory, local);
  for (const [path, content] of arch) tree.set(path, content);
}

function overview(version: DemoVersion, targets: DemoTarget[]): unknown {
  return {
    release: version.version,
    image_url: `{base_url}/${version.path}/targets/{target}`,
    profiles: targets.flatMap((target) =>
      target.profiles(version).map(({ id, vendor, model, variant }) => ({
        id,
        target: target.id,
        titles: [{ vendor, model, ...(variant === undefined ? {} : { variant }) }],
      })),
    ),
  };
}

function addCustomFeeds(tree: Tree): void {
  for (const manager of ['opkg', 'apk'] as const) {
    const options = { manager, time: 1_750_000_000, kernelVersion: '' };
    const all = manager === 'apk' ? 'noarch' : 'all';
    const packages = customPackages.map(({ name, files, postinst }): PackedPackage => {
      const entry: DemoPackage = {
        name,
        cleanName: name,
        version: '1.0-r1',
        architecture: all,
        feed: 'packages',
        depends: ['libc'],
        provides: [],
        conflicts: [],
        installedSize: 1024,
        files: Object.fromEntries(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text) }])),
        ...(postinst === undefined ? {} : { postinst }),
      };
      return packPackage(entry, options);
    });
    addAll(tree, `custom/${manager}`, feedFiles(packages, all, { ...options, indexVersion: 2, key: demoCustomFeedKey }));
  }
  tree.set('custom/key.pub', Buffer.from(demoCustomFeedKey.publicKey));
  tree.set('custom/key.pem', Buffer.from(demoCustomFeedPem));
}

/** The content of an upstream. */
export interface DemoOffer {
  readonly versions: readonly DemoVersion[];
  readonly targets: readonly DemoTarget[];
  /** The content of `/.versions.json`. */
  readonly list: object;
}

const wholeOffer: DemoOffer = { versions: demoVersions, targets: demoTargets, list: publishedVersions };

async function offerTree(offer: DemoOffer, distribution: DemoDistribution): Promise<Tree> {
  const tree: Tree = new Map();
  tree.set('.versions.json', json(offer.list));
  for (const version of offer.versions) {
    const targets = offer.targets.filter(({ id }) => version.targets.includes(id));
    for (const target of targets) await addTarget(tree, version, target, distribution);
    tree.set(`${version.path}/.targets.json`, json(Object.fromEntries(targets.map(({ id, arch }) => [id, arch]))));
    tree.set(`${version.path}/.overview.json`, json(overview(version, targets)));
  }
  return tree;
}

const OTHER_RELEASE = '24.10.2';

/** The other distribution publishes a release and its main line for one target, with the packages of OpenWrt's. */
const otherOffer = ({ versions, targets }: DemoOffer): DemoOffer => ({
  versions: versions.some(({ version }) => version === OTHER_RELEASE)
    ? versions.filter(({ version }) => version === OTHER_RELEASE || version === 'SNAPSHOT')
    : [],
  targets: targets.filter(({ id }) => id === 'x86/64'),
  list: { stable_version: OTHER_RELEASE, versions_list: [OTHER_RELEASE] },
});

/**
 * Writes the demo upstream, or the part of it that is given, into a directory. On one machine the bytes are always the
 * same.
 */
export async function generateDemoUpstream(directory: string, offer: DemoOffer = wholeOffer): Promise<void> {
  const tree = await offerTree(offer, OPENWRT);
  addCustomFeeds(tree);
  const other = otherOffer(offer);
  if (other.versions.length > 0) addAll(tree, OTHERWRT.name, await offerTree(other, OTHERWRT));

  const byDirectory = Map.groupBy(tree, ([path]) => dirname(path));
  for (const [name, files] of byDirectory) {
    await mkdir(join(directory, name), { recursive: true });
    await Promise.all(files.map(([path, content]) => writeFile(join(directory, path), content)));
  }
}

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Returns a digest of everything that determines the tree: the sources in this folder, the apk index writer and Node's
 * compressors.
 */
async function sourcesDigest(): Promise<string> {
  const entries = await readdir(here, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\.test\.ts$|\.md$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  paths.push(fileURLToPath(new URL('../../core/catalogue/testing/write-apk-index.ts', import.meta.url)));
  const hash = createHash('sha256').update(JSON.stringify([process.versions['zlib'], process.versions['zstd']]));
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  paths.forEach((path, index) => {
    hash.update(`\0${relative(here, path)}\0`).update(contents[index] ?? '');
  });
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * The digest of the loaded sources. If it were computed later, someone could have edited a source after Node loaded it.
 */
const loadedDigest = await sourcesDigest();

/**
 * Returns the directory of the demo upstream. Generates it once per state of the sources and caches it in
 * node_modules/.cache.
 */
export async function demoUpstreamDirectory(): Promise<string> {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/asu-demo/', import.meta.url));
  const directory = join(cache, loadedDigest);
  if (await exists(directory)) return directory;
  const temporary = join(cache, `.${randomUUID()}`);
  await mkdir(temporary, { recursive: true });
  await generateDemoUpstream(temporary);
  // Someone edited the sources meanwhile, so this tree must not be cached.
  if ((await sourcesDigest()) !== loadedDigest) return temporary;
  try {
    await rename(temporary, directory);
  } catch (error) {
    // Another process has already put the same tree there.
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(directory))) throw error;
  }
  return directory;
}
