import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { recordMeta } from '#core/build/artifact-keys.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { buildRequestSchema } from '#core/request/build-request.ts';
import { RequestHash } from '#core/request/request-hash.ts';
import { demoCustomFeedKey } from '#demo/upstream/key.ts';
import { checkTree } from '#runner/files/check-tree.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { relink } from '#runner/files/relink.ts';
import { removeInside } from '#runner/files/remove-inside.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { type Host, plantableKinds } from '#runner/files/testing/plant.ts';
import { openBuildKey } from '#runner/signing/build-key.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import type { ImagebuilderFacts } from './cache/fill-imagebuilder.ts';
import { packageCache } from './cache/package-cache.ts';
import { placeWget } from './courier/wget-stand-in.ts';
import { installedPackages } from './output/installed-packages.ts';
import { takeOutput } from './output/read-output.ts';
import { plainSandbox } from './sandbox/plain-sandbox.ts';
import { DEFAULT_LIMITS } from './sandbox/sandbox.ts';
import { makeBuildTree } from './tree/build-tree.ts';
import { prepareTree } from './tree/prepare-tree.ts';
import { usedIndexes } from './tree/used-indexes.ts';

/**
 * This text must not reach any answer. The tests combine everything that our process touches in a tree with everything
 * that a build can put there.
 */
const SECRET = 'the-secret-of-the-host';
const MARK = 'the-mark-of-the-tree';

const CONFIG = 'CONFIG_TARGET_ROOTFS_SQUASHFS=y\nCONFIG_TARGET_ROOTFS_EXT4FS=y\n';
const INDEXES = {
  text: 'src/gz openwrt_base http://up.test/base\n',
  packageManager: 'opkg',
  upstreamUrl: 'http://up.test',
} as const;
const DATABASE = 'build_dir/target-x86/root-x86/usr/lib/opkg/status';

let directory: string;
let host: Host;
let tree: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  const outside = join(directory, 'host');
  host = { directory: outside, file: join(outside, 'secret'), secret: SECRET };
  await mkdir(outside);
  await writeFile(host.file, SECRET, { mode: 0o600 });
  tree = join(directory, 'tree');
  const files: Record<string, string> = {
    'repositories.conf': `# ${MARK}\n`,
    '.config': `# ${MARK}\n${CONFIG}`,
    'key-build': MARK,
    'key-build.pub': MARK,
    'key-build.ucert': MARK,
    'keys/own': MARK,
    'dl/openwrt_base': MARK,
    'dl/vim_1.ipk': MARK,
    [DATABASE]: `Package: ${MARK}\nVersion: 1\nStatus: install user installed\n\n`,
    'bin/openwrt-x.bin': MARK,
    'bin/profiles.json': MARK,
    'staging_dir/host/bin/xxd': MARK,
    'staging_dir/host/.prereq-build': MARK,
    'asu-files/etc/uci-defaults/99-asu-defaults': MARK,
    'logs/build.log': MARK,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  for (const name of ['packages', 'keys']) await mkdir(join(directory, name));
});

const never = new AbortController().signal;
const order = (): BuildOrder => ({
  requestHash: RequestHash.parse('a'.repeat(64)),
  request: buildRequestSchema().parse({
    version: '24.10.2',
    target: 'x86/64',
    profile: 'generic',
    filesystem: 'squashfs',
    defaults: 'of the client',
    repository_keys: [demoCustomFeedKey.publicKey],
  }),
  versionPath: 'releases/24.10.2',
  arch: 'x86_64',
  revision: 'r1-0',
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'b'.repeat(64) },
  inputs: 'c'.repeat(64),
});
const facts = { packageManager: 'opkg', repositoryFile: 'repositories.conf' } as ImagebuilderFacts;
const packages = () => packageCache(join(directory, 'packages'), 1e9, { remove: removeTree });
const key = () => openBuildKey(join(directory, 'keys'));
const text = (bytes: Buffer | undefined) => bytes?.toString('latin1');

const prepare = async () =>
  prepareTree(order(), tree, {
    facts,
    uid: undefined,
    upstream: { upstreamUrl: 'http://up.test', repositoryHosts: ['downloads.openwrt.org'] },
    key: await key(),
  });
const seed = async () => {
  await packages().put('inputs', 'vim_1.ipk', Buffer.from('of the cache'));
  await packages().seed('inputs', join(tree, 'dl'), undefined);
};
const store = async (path: string) => {
  const artifacts = diskArtifactStore(join(directory, 'public'));
  await artifacts.putFile('logs/build.log', path, recordMeta('text/plain'));
  return artifacts.read('logs/build.log');
};
const take = async () => {
  const output = await takeOutput(join(tree, 'bin'), join(directory, 'output'));
  const profiles = await readInside(join(directory, 'output'), 'profiles.json').catch(() => undefined);
  return { output, profiles: text(profiles), taken: await everythingBelow(join(directory, 'output')) };
};
const copy = async () => {
  // This runs before any ImageBuilder is cached.
  await checkTree(tree, never);
  const sandbox = plainSandbox({ prlimit: undefined, limits: DEFAULT_LIMITS, memory: { bytes: 2 ** 30, cgroups: undefined } });
  for (const kind of [sandbox, { ...sandbox, mountsReadOnlyParts: true }]) {
    const place = await makeBuildTree(tree, join(directory, kind.mountsReadOnlyParts ? 'mounted' : 'copied'), kind, 0, never);
    for (const part of Object.values(place.readOnly)) expect((await lstat(part)).isDirectory()).toBe(true);
  }
};

interface Place {
  readonly path: string;
  readonly how: string;
  readonly touch: () => Promise<unknown>;
  /** The kinds to leave out, such as a huge output, which is limited elsewhere by what a build may make. */
  readonly without?: readonly string[];
}

const reads: Place[] = [
  { path: 'repositories.conf', how: 'led to our upstream', touch: prepare },
  { path: 'dl/openwrt_base', how: 'hashed', touch: () => usedIndexes(tree, INDEXES) },
  { path: DATABASE, how: 'parsed', touch: () => installedPackages(tree, 'opkg') },
  { path: 'bin/profiles.json', how: 'taken and parsed', touch: take, without: ['a huge file'] },
  { path: 'bin/openwrt-x.bin', how: 'taken and published', touch: take, without: ['a huge file'] },
  {
    path: 'logs/build.log',
    how: 'published',
    touch: () => store(join(tree, 'logs/build.log')),
    without: ['a link for its directory', 'a huge file'],
  },
  {
    path: 'key-build.ucert',
    how: 'kept',
    touch: async () => {
      await (await key()).keepCertificate(tree);
      return everythingBelow(join(directory, 'keys'));
    },
  },
];

const writes: Place[] = [
  { path: '.config', how: 'parsed and edited', touch: prepare },
  { path: 'asu-files/etc/uci-defaults/99-asu-defaults', how: 'written', touch: prepare },
  { path: 'keys/own', how: 'joined by keys', touch: prepare },
  { path: 'key-build', how: 'written', touch: prepare },
  { path: 'key-build.pub', how: 'written', touch: prepare },
  { path: 'dl/vim_1.ipk', how: 'seeded', touch: seed },
  { path: 'staging_dir/host/bin/wget', how: 'written', touch: () => placeWget(tree) },
  { path: 'staging_dir/host/bin/xxd', how: 'led elsewhere', touch: () => relink(tree, 'staging_dir/host/bin', () => 'elsewhere') },
  { path: 'staging_dir/host/.prereq-build', how: 'removed', touch: () => removeInside(tree, 'staging_dir/host/.prereq-build') },
  { path: 'staging_dir/host', how: 'shown to builds', touch: copy, without: ['a huge file'] },
  { path: 'staging_dir/host/bin', how: 'checked', touch: () => checkTree(tree, never) },
  { path: 'bin/openwrt-x.bin', how: 'removed', touch: () => removeTree(tree) },
];

/** Directories that our process passes through: a build can replace them, and each entry says what is inside then. */
const directories: Place[] = [
  { path: 'bin', how: 'taken', touch: take },
  { path: 'dl', how: 'read', touch: () => usedIndexes(tree, INDEXES) },
  { path: 'dl', how: 'seeded', touch: seed },
  { path: 'build_dir', how: 'looked through', touch: () => installedPackages(tree, 'opkg') },
  { path: 'build_dir/target-x86', how: 'looked through', touch: () => installedPackages(tree, 'opkg') },
  { path: 'build_dir/target-x86/root-x86', how: 'looked through', touch: () => installedPackages(tree, 'opkg') },
  { path: 'build_dir/target-x86/root-x86/usr/lib/opkg', how: 'looked through', touch: () => installedPackages(tree, 'opkg') },
  { path: 'keys', how: 'filled', touch: prepare },
  { path: 'asu-files', how: 'filled', touch: prepare },
  { path: 'asu-files/etc', how: 'filled', touch: prepare },
  { path: 'staging_dir', how: 'shown to builds', touch: copy, without: ['a huge file'] },
  { path: 'tmp', how: 'copied', touch: copy, without: ['a huge file'] },
  { path: '.packageinfo', how: 'copied', touch: copy, without: ['a huge file'] },
  { path: 'files', how: 'copied', touch: copy, without: ['a huge file'] },
].map((place) => ({ ...place, without: [...(place.without ?? []), 'a link for its directory', 'a file for its directory'] }));

/** Returns all names and contents below a directory. It follows no links and reads only small regular files. */
async function everythingBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return Promise.all(
    entries.map(async (entry) => {
      const at = join(entry.parentPath, entry.name);
      const isSmall = entry.isFile() && (await lstat(at)).size < 1e6;
      return `${at} ${isSmall ? await readFile(at, 'latin1') : ''}`;
    }),
  );
}

/**
 * Returns the state of the host's files: names, contents, owners, modes. A second name that a build made does not count
 * as a change.
 */
async function stateOf({ directory: outside }: Host): Promise<unknown> {
  const names = (await readdir(outside)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { mode, uid, gid, size, mtimeMs } = await lstat(join(outside, name));
      return { name, mode, uid, gid, size, mtimeMs, content: await readFile(join(outside, name), 'latin1') };
    }),
  );
}

const openFiles = async () => (await readdir('/proc/self/fd')).length;
const kinds = await plantableKinds();

/** Texts that the machine's own files would show: the first user, and this process's environment. */
const secretsOfTheMachine = [
  ...(await readFile('/etc/passwd', 'utf8')).split('\n').slice(0, 1),
  ...(await readFile('/proc/self/environ', 'latin1')).split('\0').filter((entry) => entry.startsWith('VITEST')),
];

describe('a tree as it should be', () => {
  it.each(reads.map((place) => ({ ...place })))('$path is $how', async ({ touch }) => {
    const shown = JSON.stringify(await touch());
    // A digest stands for the content that was hashed.
    expect(shown.includes(MARK) || shown.includes('"sha256"')).toBe(true);
  });
});

describe.each([...reads, ...writes, ...directories].map((place) => ({ ...place })))('$path, $how', ({ path, touch, without = [] }) => {
  it.each(Object.keys(kinds).filter((kind) => !without.includes(kind)))('when a build put %s there', async (kind) => {
    await rm(join(tree, path), { recursive: true, force: true });
    await kinds[kind]?.(join(tree, path), host);
    const [before, files] = [await stateOf(host), await openFiles()];
    const made = await touch().then(
      (value) => JSON.stringify(value) ?? '',
      (error: unknown) => `${error} ${JSON.stringify(error)}`,
    );
    for (const secret of [SECRET, ...secretsOfTheMachine]) expect(made.includes(secret)).toBe(false);
    expect(await stateOf(host)).toEqual(before);
    for (const ours of ['packages', 'keys', 'output', 'public', 'copied', 'mounted'])
      for (const secret of [SECRET, ...secretsOfTheMachine])
        expect((await everythingBelow(join(directory, ours))).join('\n').includes(secret)).toBe(false);
    expect(await openFiles()).toBe(files);
  });
});

it.each([
  ['directory', 'dl', ''],
  ['file', 'openwrt_base', 'dl'],
])('a %s that is swapped for a link while it is read does not lead out', async (_, name, parent) => {
  await writeFile(join(host.directory, 'openwrt_base'), SECRET);
  await promisify(execFile)('ln', ['-s', join(host.directory, parent === '' ? '' : 'openwrt_base'), join(tree, parent, 'link')]);
  const swap = `
    const fs = require('node:fs');
    const name = '${name}';
    process.stdout.write('ready');
    for (;;) {
      fs.renameSync(name, 'real');
      fs.renameSync('link', name);
      fs.renameSync(name, 'link');
      fs.renameSync('real', name);
    }`;
  const swapper = spawn(process.execPath, ['--eval', swap], { cwd: join(tree, parent) });
  try {
    await once(swapper.stdout, 'data');
    const seen = new Set<string | undefined>();
    for (let at = 0; at < 500; at++) seen.add(text(await readInside(tree, 'dl/openwrt_base')));
    expect([...seen]).toContain(MARK);
    expect([...seen]).not.toContain(SECRET);
  } finally {
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
  }
});
