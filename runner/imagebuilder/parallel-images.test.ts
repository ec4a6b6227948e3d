import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from './maker-options.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

// Two builds with all file systems in one test take a minute on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 });

const directory = await temporaryDirectory();
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
afterEach(() => upstream.restore());

/** Returns a maker for a machine with that many processors. All have one signing key, and caches of their own. */
const makerFor = (processors: number, options: Partial<ImagebuilderMakerOptions> = {}): ImagebuilderMaker =>
  imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: join(directory, `${processors}`, 'cache'),
    workDirectory: join(directory, `${processors}`, 'work'),
    keyDirectory: join(directory, 'keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    downloadBackoffMs: 1,
    processors,
    ...options,
  });

interface Made {
  readonly output: BuildOutput | BuildFailure | InfrastructureFailure;
  readonly log: string;
}

const binDirs = new Map<string, ReturnType<typeof demoBinDir>>();

async function make(maker: ImagebuilderMaker, order: BuildOrder): Promise<Made> {
  const lines: string[] = [];
  const binDir = binDirs.get(order.requestHash) ?? demoBinDir();
  binDirs.set(order.requestHash, binDir);
  const progress = { enter: () => undefined, log: (line: string) => lines.push(line) };
  const output = await maker.make(order, binDir, progress, new AbortController().signal).catch((error: unknown) => {
    if (error instanceof BuildFailure || error instanceof InfrastructureFailure) return error;
    throw error;
  });
  await ('evidence' in output ? output.evidence.dispose : output.dispose)?.();
  return { output, log: lines.join('\n') };
}

const order = (request: Partial<BuildRequest> = {}) => demoOrder(upstream.url, request);

/** What a client sees of a build: everything but the durations and the output, in which lines of jobs change places. */
function seen(made: Made): object {
  const { output } = made;
  if (output instanceof Error) {
    const { errors, buildCommand } = output.evidence;
    return {
      kind: output.name,
      message: output.message,
      errors,
      buildCommand: buildCommand?.filter((word) => !word.startsWith('BIN_DIR=')),
    };
  }
  const { buildCommand, files, manifest, metadata, profile, packages, warnings, reproduce, digests } = output;
  const sums = files.map(({ name, sha256, size }) => ({ name, sha256, size }));
  return { sums, buildCommand, manifest, metadata, profile, packages, warnings, reproduce, digests };
}

const JOBS = 'NO_TRACE_MAKE=make -j4 ';

describe('four images at the same time', () => {
  it.each<[string, Partial<BuildRequest>]>([
    ['opkg, all file systems', { packages: ['luci', 'vim'] }],
    ['opkg, a flash device', { target: 'ath79/generic', profile: 'buffalo_wzr-hp-g300nh-s' }],
    ['apk, all file systems', { version: '25.12.0', packages: ['luci'] }],
  ])('are those that are made one after the other: %s', async (_, request) => {
    const asked = await order(request);
    const one = await make(makerFor(1), asked);
    const four = await make(makerFor(4), asked);
    expect(one.output).not.toBeInstanceOf(Error);
    expect(seen(four)).toEqual(seen(one));
    expect(one.log).not.toContain('NO_TRACE_MAKE');
    expect(four.log).toContain(JOBS);
    expect(JSON.stringify(seen(four))).not.toContain('NO_TRACE_MAKE');
  });

  it.each<[string, Partial<BuildRequest>]>([
    ['a package that does not exist, of apk', { version: '25.12.0', packages: ['nosuchpkg1'] }],
    ['an ext4 that does not fit', { filesystem: 'ext4', rootfs_size_mb: 1 }],
    ['no file system that fits', { packages: ['huge'] }],
    [
      'images of apk that are too big for the flash',
      { version: '25.12.0', target: 'ath79/generic', profile: 'tplink_archer-c6-v2', packages: ['huge'] },
    ],
  ])('fail as those that are made one after the other: %s', async (_, request) => {
    const asked = await order(request);
    const one = await make(makerFor(1), asked);
    const four = await make(makerFor(4), asked);
    expect(one.output).toBeInstanceOf(BuildFailure);
    expect(seen(four)).toEqual(seen(one));
    expect(four.log).toContain(JOBS);
    expect(JSON.stringify(seen(four))).not.toContain('NO_TRACE_MAKE');
  });

  it('deliver no part of an image that failed while others went on', async () => {
    await editImagebuilder(upstream, {
      'scripts/build-image.sh': (text) =>
        text
          .replace('\nread_facts\n', '\nread_facts\nbytes=$((200 * 1024 * 1024))\n')
          // This leaves what a tool has when it stops, and lets the other jobs get ahead.
          .replace(
            'exit 1\n\t\tfi\n\t\tsh',
            'sleep 1; head -c 1000 /dev/zero > "$BIN_DIR/$prefix-ext4-combined.img.gz"; exit 1\n\t\tfi\n\t\tsh',
          ),
      // The ImageBuilder carries no signature, so each build has a key of its own.
      'scripts/trailer.sh': (text) => text.replace('append_signature() {\n', 'append_signature() {\n\treturn 0\n'),
    });
    const asked = await order();
    const one = await make(makerFor(1), asked);
    const four = await make(makerFor(4), asked);
    expect(seen(one)).toMatchObject({ warnings: [{ code: 'images_left_out' }] });
    expect(seen(four)).toEqual(seen(one));
  });
});

describe('an ImageBuilder', () => {
  it('that names the inner make otherwise makes one image after the other', async () => {
    await editImagebuilder(upstream, { Makefile: (text) => text.replace('$(NO_TRACE_MAKE) -C', '$(MAKE) -C') });
    const { output, log } = await make(makerFor(4), await order({ filesystem: 'squashfs' }));
    expect(output).not.toBeInstanceOf(Error);
    expect(log).not.toContain('NO_TRACE_MAKE');
  });

  it('that an earlier version has put into the cache makes several images at the same time', async () => {
    const asked = await order({ filesystem: 'squashfs' });
    await make(makerFor(4), asked);
    const facts = join(directory, '4', 'cache', 'imagebuilders', asked.imagebuilder.sha256, 'imagebuilder.json');
    const stored = JSON.parse(await readFile(facts, 'utf8'));
    expect(stored.facts.takesImageJobs).toBe(true);
    delete stored.facts.takesImageJobs;
    await writeFile(facts, JSON.stringify(stored));
    const { output, log } = await make(makerFor(4), asked);
    expect(output).not.toBeInstanceOf(Error);
    expect(log).toContain(JOBS);
  });

  it.each([1, 4])('that prints too much while it makes images is ended, with %d processors', async (processors) => {
    await editImagebuilder(upstream, {
      'target/linux/image/Makefile': (text) => text.replace('\nlists:\n', '\nlists:\n\t@yes | head -c 3000000; sleep 600\n'),
    });
    const { output } = await make(makerFor(processors, { maxOutputBytes: 1_000_000 }), await order());
    expect(output).toBeInstanceOf(InfrastructureFailure);
    expect(output).toMatchObject({ message: 'The build printed more than 1000000 bytes and was ended', isFinal: true });
    expect(JSON.stringify(seen({ output, log: '' }))).not.toContain('NO_TRACE_MAKE');
  });
});

it('makes one image after the other where builds have no /tmp of their own, since make keeps the output of jobs there', async () => {
  const { output, log } = await make(makerFor(4, { sandbox: 'plain' }), await order({ filesystem: 'squashfs' }));
  expect(output).not.toBeInstanceOf(Error);
  expect(log).toContain('sandbox plain');
  expect(log).not.toContain('NO_TRACE_MAKE');
});

it('shares the processors among the builds that run', async () => {
  const maker = makerFor(8, { cacheDirectory: join(directory, '8', 'cache') });
  await make(maker, await order({ filesystem: 'squashfs' }));
  const both = await Promise.all(
    ['vim', 'tmux'].map(async (name) => make(maker, await order({ filesystem: 'squashfs', packages: [name, 'slow-2'] }))),
  );
  for (const { log } of both) expect(log).toContain(JOBS);
});
