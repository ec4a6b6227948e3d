import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type Run, removeUnpacked, unpackImagebuilder } from '#demo/upstream/unpacked-imagebuilder.ts';
import { report } from './machine.ts';
import { offerImagebuilder, realImagebuilders, removeRealImagebuilders } from './real-imagebuilders.ts';
import { build, type FinishedBuild, realServer } from './real-server.ts';
import { median } from './request-times.ts';

/**
 * Compares a build, from the client's POST to its 200, with a plain `make image` of the same ImageBuilder with the same
 * arguments, in turns. Both have fetched what they need before. `npm run bench:ratio` uses the demo's ImageBuilders, which
 * install small files, so that the share of the server is larger than with real ones; it uses the real ones in the directory
 * that `ASU_BENCH_IMAGEBUILDERS` names instead. `-- --builds 9` makes more builds of each.
 */
const { values } = parseArgs({ options: { builds: { type: 'string', default: '5' } } });

interface Case {
  readonly name: string;
  readonly request: { readonly version: string; readonly target: string; readonly profile: string };
  readonly make: (...argv: string[]) => Promise<Run>;
}

const DEMO = [
  ['24.10.2 x86/64, all file systems', { version: '24.10.2', target: 'x86/64', profile: 'generic' }],
  ['24.10.2 ath79/generic', { version: '24.10.2', target: 'ath79/generic', profile: 'glinet_gl-ar150' }],
  ['25.12.0 x86/64, all file systems', { version: '25.12.0', target: 'x86/64', profile: 'generic' }],
] as const;

async function demoCase(name: string, request: Case['request'], upstream: DemoUpstreamServer): Promise<Case> {
  const target = `releases/${request.version}/targets/${request.target}`;
  return { name, request, make: (await unpackImagebuilder(await demoUpstreamDirectory(), target, upstream.url)).make };
}

/** The first of the sizes that tell builds apart. The images of one size are the same for the server and for plain make. */
const ROOT_MB = 104;

/** Builds on both sides, in turns, after one that fetches everything. */
async function compare({ name, request, make }: Case, url: string): Promise<void> {
  const bin = await mkdtemp(join(tmpdir(), 'asu-ratio-'));
  const makeImage = async (size: number): Promise<void> => {
    const argv = ['image', `PROFILE=${request.profile}`, 'PACKAGES=luci', `ROOTFS_PARTSIZE=${size}`, `BIN_DIR=${join(bin, `${size}`)}`];
    const { code, stderr } = await make(...argv);
    if (code !== 0) throw new Error(stderr);
  };
  const serve = (size: number): Promise<FinishedBuild> => build(url, { ...request, packages: ['luci'], rootfs_size_mb: size });
  await serve(ROOT_MB);
  await makeImage(ROOT_MB);
  const times: { readonly server: number; readonly plain: number; readonly own: number }[] = [];
  for (let size = ROOT_MB + 1; size <= ROOT_MB + Number(values.builds); size++) {
    const [server, { durations_ms }] = await timed(() => serve(size));
    const inMake = Object.entries(durations_ms).reduce((sum, [step, ms]) => (step.startsWith('make_') ? sum + ms : sum), 0);
    const [plain] = await timed(() => makeImage(size));
    times.push({ server, plain, own: server - inMake });
  }
  await rm(bin, { recursive: true });
  const [ours, theirs] = [median(times.map((one) => one.server)), median(times.map((one) => one.plain))];
  const own = median(times.map((one) => one.own));
  report('ratio', {
    build: name,
    builds: times.length,
    server_ms: ours,
    make_image_ms: theirs,
    ratio: rounded(median(times.map((one) => (1000 * one.server) / one.plain)) / 1000),
    own_ms: own,
  });
}

const upstream = await serveDemoUpstream();
const real = await realImagebuilders();
const server = await (async () => {
  const offered: Case[] = [];
  for (const name of real) offered.push(await offerImagebuilder(upstream, name));
  return { offered, ...(await realServer({ WORKER_CONCURRENT: '1' }, upstream)) };
})();
try {
  for (const one of server.offered) await compare({ ...one, name: `${one.name}, all file systems` }, server.url);
  if (real.length === 0) for (const [name, request] of DEMO) await compare(await demoCase(name, request, upstream), server.url);
} finally {
  await server.close();
  await removeUnpacked();
  await removeRealImagebuilders();
}

async function timed<T>(act: () => Promise<T>): Promise<[number, T]> {
  const started = performance.now();
  const result = await act();
  return [performance.now() - started, result];
}

function rounded(ratio: number): number {
  return Math.round(100 * ratio) / 100;
}
