import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeInfoCommand } from '#core/imagebuilder/commands.ts';
import { type MakeInfo, parseMakeInfo } from '#core/imagebuilder/make-info.ts';
import { demoUpstreamKey, usignSignature } from '#demo/upstream/key.ts';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';
import { type Run, run } from '#demo/upstream/unpacked-imagebuilder.ts';
import { imagebuildersDirectory } from '#test/support/config.ts';
import { profileWithKernel } from '#test/support/profile-with-kernel.ts';

/** A real ImageBuilder that the demo upstream serves in place of its own for the same target. */
export interface RealImagebuilder {
  readonly name: string;
  /** The request that it is built for. */
  readonly request: { readonly version: string; readonly target: string; readonly profile: string };
  /** Runs make in a copy of its own, with the umask that ImageBuilder requires. */
  readonly make: (...argv: string[]) => Promise<Run>;
  /** The directory of that copy. */
  readonly directory: string;
}

/** The versions of the demo upstream whose place real ImageBuilders take, by their package manager. */
const VERSIONS = { opkg: ['24.10.2', '24.10.0'], apk: ['25.12.0', 'SNAPSHOT'] } as const;

/** The places that are taken. */
const taken = new Set<string>();

/** What builds leave in a tree, which no published ImageBuilder has. */
const LEFT = /^(?:tmp|dl|bin|key-build.*|keys\/local-.*|build_dir\/[^/]+\/(?:root.*|[^/]+\/(?:root\..*|tmp)|json_info_files))$/;

const PREREQUISITES = 'staging_dir/host/.prereq-build';

const copies: string[] = [];

/** Removes the copies of real ImageBuilders. */
export const removeRealImagebuilders = (): Promise<unknown> =>
  Promise.all(copies.splice(0).map((copy) => rm(copy, { recursive: true, force: true })));

/** Returns the names of the real ImageBuilders on this machine, which `ASU_BENCH_IMAGEBUILDERS` leads to. */
export async function realImagebuilders(): Promise<string[]> {
  const directory = imagebuildersDirectory();
  const entries = directory === undefined ? [] : await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Makes the upstream serve a real ImageBuilder, signed as the demo's are, and returns how to use it. */
export async function offerImagebuilder(upstream: DemoUpstreamServer, name: string): Promise<RealImagebuilder> {
  const parent = await mkdtemp(join(tmpdir(), 'asu-real-imagebuilder-'));
  copies.push(parent);
  const directory = join(parent, 'tree');
  await must('cp', ['-a', '--', join(imagebuildersDirectory() ?? '', name), directory]);
  for (const path of (await readdir(directory, { recursive: true })).filter((path) => LEFT.test(path)))
    await rm(join(directory, path), { recursive: true, force: true });
  // The check of the host links the machine's tools. No tarball has such links, and without them it must be done again.
  const links = await must('find', [directory, '-type', 'l', '-lname', '/*', '-print', '-delete']);
  if (links !== '') await rm(join(directory, PREREQUISITES), { force: true });
  const make = (...argv: string[]) => run('sh', ['-c', 'umask 022; exec make "$@"', 'make', ...argv], { cwd: directory });

  const top = `openwrt-imagebuilder-${name}.Linux-x86_64`;
  const archive = join(parent, `${top}.tar.zst`);
  await must('tar', ['-C', parent, '-cf', archive, '-I', 'zstd -3', '--transform', `s,^tree,${top},`, 'tree']);
  const usesApk = (await readdir(directory)).includes('repositories');
  const info = parseMakeInfo((await make(...makeInfoCommand().slice(1))).stdout);
  const profile = await profileWithKernel(directory, Object.keys(info.profiles));
  const version = VERSIONS[usesApk ? 'apk' : 'opkg'].find((one) => !taken.has(`${one} ${info.target}`));
  if (version === undefined) throw new Error(`There are more ImageBuilders of ${info.target} than the demo upstream has places`);
  taken.add(`${version} ${info.target}`);
  const at = `/${version === 'SNAPSHOT' ? 'snapshots' : `releases/${version}`}/targets/${info.target}`;
  await replace(upstream, at, await readFile(archive), basename(archive), info);
  await rm(archive);
  return { name, request: { version, target: info.target, profile }, make, directory };
}

async function replace(upstream: DemoUpstreamServer, at: string, tarball: Buffer, name: string, info: MakeInfo): Promise<void> {
  const published = JSON.parse(await textOf(upstream, `${at}/profiles.json`));
  const [like] = Object.values<object>(published.profiles);
  const profiles = Object.fromEntries(
    Object.entries(info.profiles).map(([id, { supportedDevices }]) => [id, { ...like, supported_devices: supportedDevices }]),
  );
  const listed = JSON.stringify({ ...published, profiles, version_code: info.revision });
  const files = { [name]: tarball, 'profiles.json': Buffer.from(listed) };
  const digests = Object.entries(files).map(([file, bytes]) => `${createHash('sha256').update(bytes).digest('hex')} *${file}\n`);
  const others = (await textOf(upstream, `${at}/sha256sums`))
    .split('\n')
    .filter((line) => line !== '' && !/ \*(?:openwrt-imagebuilder-.*|profiles\.json)$/.test(line))
    .map((line) => `${line}\n`);
  const sums = Buffer.from([...digests, ...others].join(''));
  for (const [file, bytes] of Object.entries(files)) upstream.overlay(`${at}/${file}`, bytes);
  upstream.overlay(`${at}/version.buildinfo`, `${info.revision}\n`);
  upstream.overlay(`${at}/sha256sums`, sums);
  upstream.overlay(`${at}/sha256sums.sig`, usignSignature(sums, demoUpstreamKey));
}

const textOf = async ({ url }: DemoUpstreamServer, path: string): Promise<string> => (await fetch(url + path)).text();

async function must(command: string, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, argv);
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}
