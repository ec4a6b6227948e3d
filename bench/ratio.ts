import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { removeUnpacked, unpackImagebuilder } from '#demo/upstream/unpacked-imagebuilder.ts';
import { report } from './machine.ts';
import { build, realServer } from './real-server.ts';
import { median } from './request-times.ts';

/**
 * Compares a build, from the client's POST to its 200, with a plain `make image` of the same ImageBuilder with the same
 * packages, in turns. Both have fetched what they need before. `npm run bench:ratio`. The demo's ImageBuilders install
 * small files, so the share of the server is larger than with real ones.
 */
const CASES = [
  ['24.10.2 x86/64, all file systems', { version: '24.10.2', target: 'x86/64', profile: 'generic' }],
  ['24.10.2 ath79/generic', { version: '24.10.2', target: 'ath79/generic', profile: 'glinet_gl-ar150' }],
  ['25.12.0 x86/64, all file systems', { version: '25.12.0', target: 'x86/64', profile: 'generic' }],
] as const;
const PACKAGES = ['vim', 'tmux', 'htop', 'nano', 'curl'];

const server = await realServer({ WORKER_CONCURRENT: '1' });
try {
  for (const [name, request] of CASES) {
    const plain = await unpackImagebuilder(
      await demoUpstreamDirectory(),
      `releases/${request.version}/targets/${request.target}`,
      server.upstreamUrl,
    );
    const makeImage = async (packages: readonly string[]) => {
      const argv = ['image', `PROFILE=${request.profile}`, `PACKAGES=${packages.join(' ')}`, `BIN_DIR=${await plain.binDir()}`];
      const { code, stderr } = await plain.make(...argv);
      if (code !== 0) throw new Error(stderr);
    };
    await build(server.url, { ...request, packages: PACKAGES });
    await makeImage(PACKAGES);
    const times: { readonly server: number; readonly plain: number }[] = [];
    for (const added of PACKAGES)
      times.push({
        server: await timed(() => build(server.url, { ...request, packages: [added] })),
        plain: await timed(() => makeImage([added])),
      });
    const [ours, theirs] = [median(times.map((one) => one.server)), median(times.map((one) => one.plain))];
    report('ratio', { build: name, builds: times.length, server_ms: ours, make_image_ms: theirs, ratio: rounded(ours / theirs) });
  }
} finally {
  await server.close();
  await removeUnpacked();
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function rounded(ratio: number): number {
  return Math.round(100 * ratio) / 100;
}
