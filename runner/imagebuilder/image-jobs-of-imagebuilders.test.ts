import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyFailure } from '#core/imagebuilder/classify-failure.ts';
import { imageJobsArgument, makeInfoCommand } from '#core/imagebuilder/commands.ts';
import { parseMakeInfo } from '#core/imagebuilder/make-info.ts';
import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type Run, removeUnpacked, run, unpackImagebuilder } from '#demo/upstream/unpacked-imagebuilder.ts';
import { imagebuildersDirectory } from '#test/support/config.ts';
import { profileWithKernel } from '#test/support/profile-with-kernel.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { takesImageJobs } from './cache/takes-image-jobs.ts';

const REAL = imagebuildersDirectory();
const real = REAL === undefined ? [] : (await readdir(REAL, { withFileTypes: true })).filter((entry) => entry.isDirectory());
if (real.length === 0) process.stderr.write('ASU_BENCH_IMAGEBUILDERS names no ImageBuilders: the demo ones stand for them\n');

/** The number of comparisons: a race shows itself seldom. */
const DEMO_RUNS = 1;
const REAL_RUNS = 20;
const REAL_TIMEOUT_MS = 7_200_000;

const directory = await temporaryDirectory();
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(async () => {
  await upstream.close();
  await removeUnpacked();
});

interface Place {
  readonly name: string;
  readonly runs: number;
  readonly unpack: () => Promise<string>;
}

const demo = (target: string): Place => ({
  name: `the demo's ImageBuilder of ${target}`,
  runs: DEMO_RUNS,
  unpack: async () => (await unpackImagebuilder(await demoUpstreamDirectory(), target, upstream.url)).directory,
});

/** A copy, because an ImageBuilder keeps keys and packages where it runs. */
const copied = (name: string): Place => ({
  name,
  runs: REAL_RUNS,
  unpack: async () => {
    const copy = join(directory, name);
    await promisify(execFile)('cp', ['-a', '--reflink=auto', '--', join(REAL ?? '', name), copy]);
    return copy;
  },
});

interface Images {
  readonly run: Run;
  /** The digests of the files in BIN_DIR, by what `comparable` says. */
  readonly sums: Readonly<Record<string, string>>;
}

/**
 * Returns the part of a file of BIN_DIR that every run has to make the same: all of it, except in three files.
 *
 * - OpenWrt writes the time and a random number into the bill of materials.
 * - `profiles.json` lists the images as the directory of their descriptions does, which some file systems list in the
 *   order of creation. The server sorts them in its result.
 * - `sha256sums` has the digests of these two.
 */
function comparable(name: string, content: string): string {
  if (name.endsWith('.bom.cdx.json')) return '';
  if (name === 'sha256sums') return content.replace(/^[0-9a-f]{64} [ *](?:\S*\.bom\.cdx\.json|profiles\.json)\n/gm, '');
  if (name !== 'profiles.json') return content;
  const published = JSON.parse(content) as { profiles: Record<string, { images: { name: string }[] }> };
  for (const { images } of Object.values(published.profiles)) images.sort((a, b) => (a.name < b.name ? -1 : 1));
  return JSON.stringify(published);
}

async function makeImages(tree: string, jobs: number, words: readonly string[]): Promise<Images> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  const bin = await mkdtemp(join(directory, 'bin', 'images-'));
  const inParallel = jobs === 1 ? [] : [imageJobsArgument(jobs)];
  const argv = ['image', ...words, 'EXTRA_IMAGE_NAME=0123456789ab', `BIN_DIR=${bin}`, ...inParallel];
  const made = await run('sh', ['-c', 'umask 022; exec make "$@"', 'make', ...argv], { cwd: tree });
  const sums: Record<string, string> = {};
  for (const name of (await readdir(bin)).sort())
    if ((await stat(join(bin, name))).isFile())
      sums[name] = createHash('sha256')
        .update(comparable(name, await readFile(join(bin, name), 'latin1')))
        .digest('hex');
  await rm(bin, { recursive: true });
  return { run: made, sums };
}

const verdict = ({ run: { code, stdout, stderr }, sums }: Images) =>
  classifyFailure({ exitCode: code, stdout, stderr, hasImages: Object.keys(sums).some((name) => /\.(img|bin|itb)/.test(name)) });

const PLACES = [
  demo('releases/24.10.2/targets/x86/64'),
  demo('releases/24.10.2/targets/ath79/generic'),
  demo('releases/25.12.0/targets/x86/64'),
  ...real.map(({ name }) => copied(name)),
];

describe.each(PLACES.map((place) => [place.name, place] as const))('%s', (_name, place) => {
  const timeout = place.runs === REAL_RUNS ? REAL_TIMEOUT_MS : 120_000;
  let tree: string;
  let profile: string;
  beforeAll(async () => {
    tree = await place.unpack();
    const [command = '', ...argv] = makeInfoCommand();
    const { profiles } = parseMakeInfo((await run(command, argv, { cwd: tree })).stdout);
    profile = `PROFILE=${await profileWithKernel(tree, Object.keys(profiles))}`;
    expect(await takesImageJobs(tree)).toBe(true);
    // The first run makes keys, and fetches what the others find in dl/.
    expect((await makeImages(tree, 1, [profile])).run.code).toBe(0);
  }, timeout);

  it(
    'makes the same bytes with one job and with four, every time',
    async () => {
      const one = await makeImages(tree, 1, [profile]);
      expect(one.run.code).toBe(0);
      expect(Object.keys(one.sums).length).toBeGreaterThan(3);
      for (let count = 0; count < place.runs; count++) {
        const four = await makeImages(tree, 4, [profile]);
        expect(four.run.code).toBe(0);
        expect(four.sums).toEqual(one.sums);
      }
    },
    timeout,
  );

  it.each([
    ['an unknown package', 'PACKAGES=nosuchpkg1'],
    ['an unknown profile', 'PROFILE=nosuchprofile'],
    ['a small partition', 'ROOTFS_PARTSIZE=1'],
  ])(
    'fails alike with one job and with four: %s',
    async (_case, word) => {
      const words = word.startsWith('PROFILE=') ? [word] : [profile, word];
      const one = await makeImages(tree, 1, words);
      const four = await makeImages(tree, 4, words);
      expect(four.run.code).toBe(one.run.code);
      if (one.run.code === 0) expect(four.sums).toEqual(one.sums);
      else expect(verdict(four)).toEqual(verdict(one));
    },
    timeout,
  );
});
