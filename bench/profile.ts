import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { imagebuilderMaker } from '#runner/imagebuilder/imagebuilder-maker.ts';
import { demoBinDir, demoOrder } from '#runner/imagebuilder/testing/demo-order.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { report } from './machine.ts';
import { offerImagebuilder, realImagebuilders, removeRealImagebuilders } from './real-imagebuilders.ts';
import { median } from './request-times.ts';

/**
 * Prints the pieces of one build in the order of time: our own steps, and those of make, found by the words that
 * ImageBuilder prints at the beginning of each. `npm run bench:profile` uses the demo's ImageBuilders, and the real ones
 * in the directory that `ASU_BENCH_IMAGEBUILDERS` names; `-- --upstream URL --version V --target T --profile P` those of
 * another upstream, which may be a real one.
 */
const { values } = parseArgs({
  options: {
    upstream: { type: 'string' },
    version: { type: 'string' },
    target: { type: 'string' },
    profile: { type: 'string' },
    builds: { type: 'string', default: '5' },
  },
});

/** The beginnings of the lines that begin a piece, in the words of ImageBuilder and of our own log. */
const PIECES: readonly (readonly [RegExp, string])[] = [
  [/^\$ make image /, 'make: checks and keys'],
  [/^Building images for /, 'make: indexes'],
  [/^Installing packages\.\.\./, 'make: installing packages'],
  [/^Finalizing root filesystem\.\.\./, 'make: finalizing the root'],
  [/^Building images\.\.\./, 'make: images'],
  [/^Calculating checksums\.\.\./, 'make: checksums'],
];

/** The steps that the maker enters, in words. */
const STEPS: Readonly<Record<string, string>> = {
  init: 'our own: beginning',
  download_imagebuilder: 'our own: asking upstream',
  unpack_imagebuilder: 'our own: copying the tree',
  calculate_packages_hash: 'our own: preparing the tree',
  building_image: 'our own: fetching packages',
};

type Request = Parameters<typeof demoOrder>[1];

const asked = values.version !== undefined || values.target !== undefined || values.profile !== undefined;
const DEMO: readonly (readonly [string, Request])[] = asked
  ? [
      [
        'asked',
        Object.fromEntries(
          Object.entries({ version: values.version, target: values.target, profile: values.profile }).filter(
            ([, value]) => value !== undefined,
          ),
        ),
      ],
    ]
  : [
      ['24.10.2 x86/64, all file systems', {}],
      ['24.10.2 x86/64, squashfs', { filesystem: 'squashfs' }],
      ['24.10.2 ath79/generic', { target: 'ath79/generic', profile: 'glinet_gl-ar150' }],
      ['25.12.0 x86/64, all file systems', { version: '25.12.0' }],
    ];

const directory = await mkdtemp(join(tmpdir(), 'asu-profile-'));
const upstream = values.upstream === undefined ? await serveDemoUpstream() : undefined;
const url = upstream?.url ?? values.upstream ?? '';
const key = parseUsignPublicKey(demoUpstreamKey.publicKey);
const maker = imagebuilderMaker({
  upstreamUrl: url,
  cacheDirectory: join(directory, 'cache'),
  workDirectory: join(directory, 'work'),
  keyDirectory: join(directory, 'keys'),
  keys: key === undefined ? [] : [key],
});

/** Builds once and returns the milliseconds of each piece. */
async function profileOf(request: Request): Promise<Map<string, number>> {
  const pieces = new Map<string, number>();
  let piece = 'our own: beginning';
  let since = performance.now();
  let lastLine = since;
  const enter = (next: string, at = performance.now()) => {
    pieces.set(piece, (pieces.get(piece) ?? 0) + at - since);
    [piece, since] = [next, at];
  };
  const log = (line: string) => {
    lastLine = performance.now();
    const found = PIECES.find(([words]) => words.test(line))?.[1];
    if (found !== undefined) enter(found);
  };
  const order = await demoOrder(url, request);
  since = performance.now();
  const step = (name: string) => enter(STEPS[name] ?? name);
  const output = await maker.make(order, demoBinDir(), { enter: step, log }, new AbortController().signal);
  const end = performance.now();
  enter('our own: taking and checking images', lastLine);
  enter('', end);
  await output.dispose();
  return pieces;
}

/** Prints the median of each piece over several builds, after one that fills the caches. */
async function print(name: string, request: Request): Promise<void> {
  await profileOf(request);
  const profiles: Map<string, number>[] = [];
  for (let count = 0; count < Number(values.builds); count++) profiles.push(await profileOf(request));
  const pieces = [...(profiles[0]?.keys() ?? [])].map((piece) => [piece, median(profiles.map((one) => one.get(piece) ?? 0))] as const);
  const totals = profiles.map((one) => [...one.values()].reduce((sum, ms) => sum + ms, 0));
  report('profile', { build: name, builds: profiles.length, total_ms: median(totals), pieces_ms: Object.fromEntries(pieces) });
}

try {
  const real = asked || upstream === undefined ? [] : await realImagebuilders();
  if (real.length === 0) for (const [name, request] of DEMO) await print(name, request);
  for (const name of real) {
    if (upstream === undefined) continue;
    const { request } = await offerImagebuilder(upstream, name);
    await print(`${name}, all file systems`, request);
    if (request.target === 'x86/64') await print(`${name}, squashfs`, { ...request, filesystem: 'squashfs' });
  }
} finally {
  await upstream?.close();
  await removeRealImagebuilders();
  await rm(directory, { recursive: true, force: true });
}
