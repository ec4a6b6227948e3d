import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from './maker-options.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

vi.setConfig({ testTimeout: 120_000 });

const directory = await temporaryDirectory();
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());

const makerIn = (place: string, options: Partial<ImagebuilderMakerOptions>): ImagebuilderMaker =>
  imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, place, 'cache'),
    workDirectory: join(directory, place, 'work'),
    keyDirectory: join(directory, 'keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    ...options,
  });

const AHEAD = 'Tree made ahead';

async function build(maker: ImagebuilderMaker, order: BuildOrder) {
  const lines: string[] = [];
  const progress = { enter: () => undefined, log: (line: string) => lines.push(line) };
  const output = await maker.make(order, demoBinDir(), progress, new AbortController().signal);
  await output.dispose();
  const { files, manifest, metadata, profile, packages, digests } = output;
  const sums = files.map(({ name, sha256, size }) => ({ name, sha256, size }));
  return { made: { sums, manifest, metadata, profile, packages, digests }, isAhead: lines.includes(AHEAD) };
}

const waiting = async (place: string): Promise<string[]> => {
  const at = join(directory, place, 'work', 'prepared-trees');
  return (await readdir(at)).map((name) => join(at, name));
};

it.each(['24.10.2', '25.12.0'])('of %s give the same images as a copy of the build’s own', async (version) => {
  const maker = makerIn(version, { processors: 2 });
  const order = await demoOrder(upstream.url, { version, filesystem: 'squashfs', packages: ['vim'] });
  const own = await build(maker, order);
  const ahead = await build(maker, order);
  expect([own.isAhead, ahead.isAhead]).toEqual([false, true]);
  expect(ahead.made).toEqual(own.made);
});

it('have neither a key nor anything of a request', async () => {
  const maker = makerIn('clean', { processors: 2 });
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', defaults: 'echo first boot', packages: ['vim'] });
  await build(maker, order);
  await build(maker, order);
  const [tree = '', ...others] = await waiting('clean');
  expect(others).toEqual([]);
  const pristine = join(directory, 'clean', 'cache', 'imagebuilders', order.imagebuilder.sha256, 'tree');
  const files = async (at: string) =>
    (await readdir(at, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(at.length + 1))
      .filter((path) => !path.startsWith('staging_dir/host/'))
      .sort();
  const names = await files(tree);
  expect(names.length).toBeGreaterThan(10);
  expect(names).toEqual(await files(pristine));
  for (const name of names) expect(await readFile(join(tree, name))).toEqual(await readFile(join(pristine, name)));
});

it('are not made where no processor is idle, nor where they would take more than the cache may', async () => {
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs' });
  await build(makerIn('busy', { processors: 1 }), order);
  expect(await waiting('busy')).toEqual([]);
  await build(makerIn('small', { processors: 2, cacheBytes: 1000 }), order);
  expect(await waiting('small')).toEqual([]);
});
