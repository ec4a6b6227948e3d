import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BuildOrder } from '#core/build/build-order.ts';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { demoUpstreamKey, usignSignature } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { dig } from '#runner/files/testing/dig.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from './maker-options.ts';
import { OUTPUT_LIMITS } from './output/output-limits.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

const directory = await temporaryDirectory();
let upstream: DemoUpstreamServer;
let maker: ImagebuilderMaker;

const options = (name: string): ImagebuilderMakerOptions => ({
  upstreamUrl: upstream.url,
  cacheDirectory: join(directory, name, 'cache'),
  workDirectory: join(directory, name, 'work'),
  keyDirectory: join(directory, name, 'keys'),
  keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
  downloadBackoffMs: 1,
});

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  maker = imagebuilderMaker(options('shared'));
});
afterAll(() => upstream.close());
afterEach(() => {
  upstream.faults.clear();
  upstream.restore();
  upstream.clearRequests();
});

interface Made {
  output: BuildOutput;
  steps: string[];
  log: string;
}

/** The log of the last build that failed. */
let lastLog: string | undefined;

async function make(order: BuildOrder, using = maker, signal: AbortSignal = new AbortController().signal): Promise<Made> {
  const steps: string[] = [];
  const lines: string[] = [];
  try {
    const output = await using.make(order, demoBinDir(), { enter: (step) => steps.push(step), log: (line) => lines.push(line) }, signal);
    return { output, steps, log: lines.join('\n') };
  } catch (error) {
    // As runBuild does, this keeps the log and releases the rest.
    lastLog = undefined;
    if (error instanceof BuildFailure || error instanceof InfrastructureFailure) {
      const { logPath, dispose } = error.evidence;
      if (logPath !== undefined) lastLog = await readFile(logPath, 'utf8');
      await dispose?.();
    }
    throw error;
  }
}

/** Returns a quick order: squashfs only, unless the request says otherwise. */
const order = (request: Partial<BuildRequest> = {}) => demoOrder(upstream.url, { filesystem: 'squashfs', ...request });

async function failing(request: Partial<BuildRequest>, using = maker): Promise<unknown> {
  const made = make(await order(request), using);
  const error: unknown = await made.then(
    ({ output }) => output.dispose().then(() => undefined),
    (reason: unknown) => reason,
  );
  return error;
}

const builds = (name: string) => readdir(join(directory, name, 'work', 'builds'));
const tarballs = () => upstream.requests.filter(({ path }) => path.includes('imagebuilder'));

/** Returns a file of the image's root file system, read from the rootfs tarball. */
const inRootfs = async (output: BuildOutput, path: string): Promise<string | undefined> => {
  const tarball = output.files.find(({ name }) => name.endsWith('rootfs.tar.gz'))?.path ?? 'no rootfs tarball';
  return promisify(execFile)('tar', ['-xzOf', tarball, `./${path}`]).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
};

describe('imagebuilderMaker', () => {
  it('makes images, says what it did, and leaves nothing behind', async () => {
    const asked = await order({ packages: ['vim', '-dnsmasq'], rootfs_size_mb: 128 });
    const { output, steps, log } = await make(asked);
    expect(steps.filter((step, index) => step !== steps[index - 1])).toEqual([
      'init',
      'download_imagebuilder',
      'unpack_imagebuilder',
      'calculate_packages_hash',
      'building_image',
    ]);
    expect(output.buildCommand.slice(0, 5)).toEqual([
      'make',
      'image',
      'PROFILE=generic',
      'PACKAGES=-dnsmasq vim',
      `EXTRA_IMAGE_NAME=${asked.requestHash.slice(0, 12)}`,
    ]);
    expect(output.buildCommand.slice(6)).toEqual(['ROOTFS_PARTSIZE=128', 'ROOTFS_FILESYSTEM=squashfs']);

    for (const file of output.files) {
      const content = await readFile(file.path);
      expect(createHash('sha256').update(content).digest('hex')).toBe(file.sha256);
      expect(content.length).toBe(file.size);
    }
    const byName = new Map(output.files.map(({ name, sha256 }) => [name, sha256]));
    for (const image of output.profile.images) expect(byName.get(image.name)).toBe(image.sha256);
    expect(output.profile.images.map(({ filesystem }) => filesystem).filter(Boolean)).not.toContain('ext4');
    expect([...byName.keys()]).toEqual(expect.arrayContaining(['profiles.json', 'sha256sums']));

    expect(output.manifest).toMatchObject({ vim: expect.any(String), libncurses: expect.any(String) });
    expect(output.manifest).not.toHaveProperty('dnsmasq');
    expect(output.metadata).toMatchObject({ version_code: asked.revision, version_number: '24.10.2' });
    const target = 'releases/24.10.2/targets/x86/64';
    expect(output.digests).toMatchObject({ [`${target}/${asked.imagebuilder.name}`]: asked.imagebuilder.sha256 });
    for (const path of [`${target}/packages/Packages.gz`, 'releases/24.10.2/packages/x86_64/base/Packages.gz']) {
      const published = await (await fetch(`${upstream.url}/${path}`)).arrayBuffer();
      expect(output.digests[path]).toBe(createHash('sha256').update(Buffer.from(published)).digest('hex'));
    }
    expect(output.reproduce).toContain(asked.imagebuilder.sha256);
    expect(output.reproduce).toContain(`wget -c '${upstream.url}/${target}/${asked.imagebuilder.name}'`);
    expect(output.reproduce).toContain(`src/gz openwrt_base ${upstream.url}/releases/24.10.2/packages/x86_64/base`);
    expect(output.reproduce).not.toContain('downloads.openwrt.org');
    expect(output.durations).toMatchObject({ building_image: expect.any(Number), make_image: expect.any(Number) });

    const wholeLog = await readFile(output.logPath ?? '', 'utf8');
    expect(wholeLog).toContain('Installing vim');
    expect(wholeLog).toContain(`Signature of sha256sums: good, key ${demoUpstreamKey.id}`);
    expect(log).toBe(wholeLog.trimEnd());

    await output.dispose();
    expect(await builds('shared')).toEqual([]);
    // The check of the host made it, with the path that the tree had then.
    const cached = join(directory, 'shared', 'cache', 'imagebuilders', asked.imagebuilder.sha256, 'tree');
    expect(await readlink(join(cached, 'staging_dir/host/bin/xxd'))).toBe('../../../scripts/sizes.sh');
  });

  it('makes the same images again, without a second download of ImageBuilder or packages', async () => {
    const asked = await order({ packages: ['vim'] });
    const first = await make(asked);
    upstream.clearRequests();
    const second = await make(asked);
    expect(tarballs()).toEqual([]);
    expect(upstream.requests.filter(({ path }) => path.endsWith('.ipk'))).toEqual([]);
    expect(second.output.profile.images).toEqual(first.output.profile.images);
    expect(second.output.manifest).toEqual(first.output.manifest);
    await Promise.all([first.output.dispose(), second.output.dispose()]);
  });

  it.each([
    ['23.05.5', 'ath79/generic', 'test'],
    ['25.12.0', 'mediatek/filogic', undefined],
    ['SNAPSHOT', 'x86/64', 'generic'],
  ])('builds %s for %s', async (version, target, profile) => {
    const path = version === 'SNAPSHOT' ? 'snapshots' : `releases/${version}`;
    const published = (await (await fetch(`${upstream.url}/${path}/targets/${target}/profiles.json`)).json()) as { profiles: object };
    const { output } = await make(
      await order({ version, target, profile: profile ?? Object.keys(published.profiles)[0] ?? '', packages: ['tmux'] }),
    );
    expect(output.profile.images.length).toBeGreaterThan(0);
    expect(output.manifest).toMatchObject({ tmux: expect.any(String), libevent2: expect.any(String), 'base-files': expect.any(String) });
    await output.dispose();
  });

  it('downloads once for builds that start at the same time', async () => {
    const fresh = imagebuilderMaker(options('at-once'));
    const asked = await Promise.all(['aaa', 'zzz'].map((name) => order({ packages: [name] })));
    const made = await Promise.all(asked.map((one) => make(one, fresh)));
    expect(tarballs()).toHaveLength(1);
    expect(made.map(({ output }) => [output.manifest['aaa'] !== undefined, output.manifest['zzz'] !== undefined])).toEqual([
      [true, false],
      [false, true],
    ]);
    await Promise.all(made.map(({ output }) => output.dispose()));
    expect(await builds('at-once')).toEqual([]);
  });

  describe('package indexes', () => {
    const feed = (name: string) => `releases/24.10.2/packages/x86_64/${name}/Packages.gz`;
    const digestOf = async (path: string) =>
      createHash('sha256')
        .update(Buffer.from(await (await fetch(`${upstream.url}/${path}`)).arrayBuffer()))
        .digest('hex');
    const kept = async (inputs: string) =>
      (await readdir(join(directory, 'shared', 'cache', 'fetched-packages', inputs)).catch(() => [])).sort();

    it('have the name that a client probably means', async () => {
      const indexes = { [feed('packages')]: await digestOf(feed('packages')) };
      const asked = { ...(await order({ packages: ['tmuxx'] })), inputs: '5'.repeat(64), indexes };
      const error = await make(asked).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ evidence: { errors: [{ code: 'package_missing', suggestion: 'Ask for tmux instead.' }] } });
    });

    /** The names under which the cache keeps the index of `base` and its signature. */
    const cachedBase = () => {
      const name = `index-${createHash('sha256').update(feed('base')).digest('hex').slice(0, 32)}`;
      return [name, `${name}.sig`];
    };

    it('that the request hash was made over are cached for the next build', async () => {
      const asked = { ...(await order({ packages: ['zzz'] })), indexes: { [feed('base')]: await digestOf(feed('base')) } };
      const { output, log } = await make(asked);
      expect(log).not.toContain(`hash stands for: ${feed('base')}`);
      expect((await kept(asked.inputs)).filter((name) => !name.endsWith('.ipk'))).toEqual(cachedBase());
      await output.dispose();
    });

    it('whose signature was wrong for a while make images as soon as it is right', async () => {
      const asked = {
        ...(await order({ packages: ['zzz'] })),
        inputs: 'd'.repeat(64),
        indexes: { [feed('base')]: await digestOf(feed('base')) },
      };
      const other = await (await fetch(`${upstream.url}/${feed('luci').replace('.gz', '.sig')}`)).text();
      upstream.overlay(`/${feed('base').replace('.gz', '.sig')}`, other);
      await expect(make(asked)).rejects.toThrow('signature');
      upstream.restore();
      const { output } = await make(asked);
      await output.dispose();
    });

    it('that upstream has changed since are reported, and nothing that came with them is cached', async () => {
      const indexes = { [feed('base')]: await digestOf(feed('base')), [feed('luci')]: '0'.repeat(64) };
      const asked = { ...(await order({ packages: ['zzz', 'luci'] })), inputs: 'e'.repeat(64), indexes };
      const { output, log } = await make(asked);
      expect(log).toContain(`Package index is newer than the one that the request hash stands for: ${feed('luci')}`);
      expect(log).not.toContain(`hash stands for: ${feed('base')}`);
      const names = await kept(asked.inputs);
      expect(names.filter((name) => !name.endsWith('.ipk'))).toEqual(cachedBase());
      expect(names.filter((name) => name.startsWith('busybox_'))).toHaveLength(1);
      expect(names.filter((name) => name.startsWith('luci'))).toEqual([]);
      await output.dispose();
    });

    it('of another revision than the ImageBuilder’s stop the build', async () => {
      const target = 'releases/24.10.2/targets/x86/64/packages/Packages.gz';
      const asked = { ...(await order({ packages: ['zzz'] })), indexes: { [target]: '0'.repeat(64) } };
      const error: unknown = await make(asked).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InfrastructureFailure);
      expect(error).toMatchObject({ isFinal: true, message: expect.stringContaining(`no longer those of revision ${asked.revision}`) });
    });

    it('that the request was resolved with but are unavailable stop the build', async () => {
      const indexes = { [feed('base')]: await digestOf(feed('base')), [feed('luci')]: '0'.repeat(64) };
      const asked = { ...(await order({ packages: ['vim'] })), inputs: 'f'.repeat(64), indexes };
      upstream.faults.add('/luci/Packages', { kind: 'status', status: 503 });
      const error: unknown = await make(asked).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InfrastructureFailure);
      expect(error).toMatchObject({ isFinal: false, message: `Package indexes could not be had: ${feed('luci')}` });
    });
  });

  it('puts defaults into the image', async () => {
    const { output } = await make(await order({ filesystem: null, defaults: "uci set system.@system[0].hostname='$(reboot)'\n" }));
    expect(await inRootfs(output, 'etc/uci-defaults/99-asu-defaults')).toBe("uci set system.@system[0].hostname='$(reboot)'\n");
    expect(output.buildCommand).toContain('FILES=/builder/asu-files');
    await output.dispose();
  });

  it('with diff_packages removes the defaults that were not requested', async () => {
    const { output } = await make(await order({ diff_packages: true, packages: ['base-files', 'busybox', 'libc', 'kernel'] }));
    expect(output.packages).toEqual(expect.arrayContaining(['-dnsmasq', '-firewall4', 'base-files']));
    expect(output.manifest).not.toHaveProperty('dnsmasq');
    await output.dispose();
  });

  it('checks required versions before it makes images', async () => {
    const { output } = await make(await order({ packages: ['test1'], packages_versions: { test1: '1.0-r1' } }));
    expect(output.durations).toHaveProperty('make_manifest');
    await output.dispose();
    const error = await failing({ packages: ['test1'], packages_versions: { test1: '0.0' } });
    expect(error).toBeInstanceOf(BuildFailure);
    expect(String(error)).toContain('test1 version not as requested: 0.0 vs. 1.0-r1');
    expect((error as BuildFailure).evidence.durations).not.toHaveProperty('make_image');
  });
});

describe('a request that cannot be built', () => {
  it.each([
    [{ packages: ['does-not-exist'] }, 'missing (does-not-exist)'],
    [{ packages: ['needs-missing'] }, 'does-not-exist-anywhere'],
    [{ packages: ['foe-a', 'foe-b'] }, 'conflicts (foe-a, foe-b)'],
    [{ packages: ['clash-a', 'clash-b'] }, 'conflicts (clash-a, clash-b)'],
    [{ packages: ['fails-install'] }, 'fails-install'],
    [{ filesystem: 'ubifs' }, 'Unsupported filesystem: ubifs. Available: squashfs, ext4'],
    [{ profile: 'nonsense' }, 'Unsupported profile: nonsense'],
    [{ repository_keys: ['no key'] }, 'Invalid repository key'],
    [{ target: 'ath79/generic', profile: 'test', packages: ['huge'] }, 'exceed device storage'],
    [{ packages: ['huge'], filesystem: 'ext4' }, 'exceed device storage'],
    [{ packages: ['huge'], filesystem: 'squashfs', version: '25.12.0' }, 'exceed device storage'],
  ] as [Partial<BuildRequest>, string][])('%j is a failure of the request', async (request, text) => {
    const error = await failing(request);
    expect(error).toBeInstanceOf(BuildFailure);
    expect((error as BuildFailure).message).toContain(text);
    expect(await builds('shared')).toEqual([]);
  });

  it('shows what make printed', async () => {
    const error = await failing({ packages: ['does-not-exist'] });
    expect((error as BuildFailure).evidence).toMatchObject({
      stderr: expect.stringContaining('Cannot install package does-not-exist.'),
      buildCommand: expect.arrayContaining(['PACKAGES=does-not-exist']),
      errors: [expect.objectContaining({ code: 'package_missing', packages: ['does-not-exist'] })],
      durations: expect.objectContaining({ building_image: expect.any(Number) }),
    });
    expect(lastLog).toContain('Cannot install package does-not-exist.');
    expect(lastLog).toMatch(/^Build of 24\.10\.2 x86\/64 generic/);
  });

  it('says of each problem which package it is about, and what the client can do', async () => {
    const errorsOf = async (change: Partial<BuildRequest>) => ((await failing(change)) as BuildFailure).evidence.errors;
    const unknown = { code: 'package_missing', package: 'tmuxx', chain: [], detail: 'tmuxx does not exist' };
    const correct = 'Leave out tmuxx, or correct its name.';
    expect(await errorsOf({ packages: ['tmuxx'] })).toMatchObject([{ ...unknown, suggestion: correct }]);
    expect(await errorsOf({ packages: ['tmuxx'], version: '25.12.0' })).toMatchObject([{ ...unknown, suggestion: correct }]);
    const [tooBig] = (await errorsOf({ target: 'ath79/generic', profile: 'test', packages: ['huge'] })) ?? [];
    const { size, limit } = tooBig as { size: number; limit: number };
    expect(tooBig).toMatchObject({
      needed_bytes: size,
      available_bytes: limit,
      suggestion: `Leave out packages: ${size - limit} bytes are too many.`,
    });
  });

  it('has images whose root file system is larger than its partition, which ImageBuilder does not report', async () => {
    const error = (await failing({ packages: ['huge'] })) as BuildFailure;
    expect(lastLog).not.toMatch(/too big|out of space/);
    expect(error.evidence.errors?.map(({ code, image }) => [code, String(image).split('-').slice(6).join('-')])).toEqual([
      ['image_too_big', 'squashfs-combined-efi.img.gz'],
      ['image_too_big', 'squashfs-combined.img.gz'],
    ]);
    for (const { size, limit } of error.evidence.errors ?? []) expect(size).toBeGreaterThan(Number(limit));
    expect(error.message).toContain('Selected packages exceed device storage: ');
  });
});

describe('text that make must not see', () => {
  const proof = join(directory, 'injected');
  /** The shapes of docs/imagebuilder.md §2, and a line break. Each would run on a command line that make reads. */
  const shapes = [`$(shell touch ${proof})`, `\`touch ${proof}\``, `";touch ${proof};"`, `';touch ${proof};'`, `x\ntouch ${proof}`];

  it.each(
    shapes.flatMap(
      (shape) =>
        [
          ['packages', { packages: [shape] }],
          ['packages', { packages: [`vim${shape}`] }],
          ['profile', { profile: shape }],
          ['rootfs_size_mb', { rootfs_size_mb: shape }],
          ['filesystem', { filesystem: shape }],
          ['repositories', { repositories: { [shape]: 'http://127.0.0.1:1/custom/opkg' } }],
          ['repositories', { repositories: { custom: `http://127.0.0.1/${shape}` } }],
        ] as const,
    ),
  )('is refused by the image maker itself, even in a stored order: %s %j', async (_, tampered) => {
    const asked = await order();
    const forged = { ...asked, request: { ...asked.request, ...tampered } } as BuildOrder;
    await expect(make(forged)).rejects.toThrow(Error);
    await expect(stat(proof)).rejects.toThrow('ENOENT');
    expect(await builds('shared')).toEqual([]);
  });

  it('is refused as the name of images, too', async () => {
    const asked = await order();
    const forged = { ...asked, requestHash: `$(shell touch ${proof})` } as unknown as BuildOrder;
    await expect(make(forged)).rejects.toMatchObject({ isFinal: true });
    await expect(stat(proof)).rejects.toThrow('ENOENT');
  });
});

describe('a failure that the request did not cause', () => {
  it('is final when the ImageBuilder has another revision than the order', async () => {
    const asked = await order();
    const error: unknown = await make({ ...asked, revision: 'r1-0000000000' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(error).toMatchObject({ isFinal: true, message: `Received incorrect version ${asked.revision} (requested r1-0000000000)` });
  });

  it('caches nothing of a download that failed, and works when upstream is repaired', async () => {
    const fresh = imagebuilderMaker({ ...options('bad-download'), downloadAttempts: 2 });
    upstream.faults.add('imagebuilder', { kind: 'wrong-bytes' });
    const error = await failing({}, fresh);
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(error).toMatchObject({ isFinal: false });
    expect(await readdir(join(directory, 'bad-download', 'cache', 'imagebuilders'))).toEqual([]);
    upstream.faults.clear();
    const { output } = await make(await order(), fresh);
    await output.dispose();
  });

  it('blames feeds that cannot be downloaded, not the packages', async () => {
    upstream.faults.add('/packages/', { kind: 'status', status: 503 });
    const error = await failing({ packages: ['nano'], version: '24.10.0' });
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(String(error)).toContain('Could not download');
  });

  it('gives a build no package that differs from its index, caches none, and may be retried', async () => {
    const wanted = { packages: ['nano'], version: '24.10.0' };
    upstream.faults.add(/\/nano_/, { kind: 'wrong-bytes' });
    const error = await failing(wanted);
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(error).toMatchObject({ isFinal: false, message: expect.stringContaining('Could not download') });
    upstream.faults.clear();
    const { output } = await make(await order(wanted));
    await output.dispose();
  });

  it('ends a build that takes too long, with all its processes', async () => {
    const hasty = imagebuilderMaker({ ...options('shared'), workDirectory: join(directory, 'hasty'), timeoutMs: 4000 });
    const error = await failing({ packages: ['ignores-sigterm'] }, hasty);
    expect(error).toBeInstanceOf(InfrastructureFailure);
    expect(String(error)).toContain('longer than 4 seconds');
    expect((error as InfrastructureFailure).evidence.stderr).toContain('Installing ignores-sigterm');
  });

  it('ends a build that prints too much, and does not try it again', async () => {
    const quiet = imagebuilderMaker({ ...options('shared'), workDirectory: join(directory, 'quiet'), maxOutputBytes: 1_000_000 });
    const error = await failing({ packages: ['noisy'] }, quiet);
    expect(error).toMatchObject({ isFinal: true, message: expect.stringContaining('more than 1000000 bytes') });
  });

  it.each([
    ['leaves-many', 'The build left more than 512 files'],
    ['leaves-much', 'The files that the build left have more than 268435456 bytes'],
    ['fills-database', 'The package database of the image cannot be one: it has more than 10000 packages'],
  ])('blames the request for a build that leaves more than any real one: %s', async (name, message) => {
    const outputLimits = { ...OUTPUT_LIMITS, bytes: 256 * 1024 * 1024 };
    const bounded = imagebuilderMaker({ ...options('shared'), workDirectory: join(directory, 'bounded'), outputLimits });
    const error = await failing({ packages: [name] }, bounded);
    expect(error).toBeInstanceOf(BuildFailure);
    expect((error as BuildFailure).message).toBe(message);
    expect(await readdir(join(directory, 'bounded', 'builds'))).toEqual([]);
  });

  it('ends a build that takes too much of the disk while it runs', async () => {
    const narrow = imagebuilderMaker({ ...options('shared'), workDirectory: join(directory, 'narrow'), maxDiskBytes: 200 * 1024 * 1024 });
    const error = await failing({ packages: ['fills-disk'] }, narrow);
    expect(error).toBeInstanceOf(BuildFailure);
    expect((error as BuildFailure).message).toBe('The build took more than 200 MB of disk and was ended');
    expect((error as BuildFailure).evidence.stderr).toContain('Installing fills-disk');
    expect(await readdir(join(directory, 'narrow', 'builds'))).toEqual([]);
  });

  it('keeps no more ImageBuilders and packages than the limit on both when no build runs', async () => {
    const small = { ...options('small-cache'), cacheBytes: 1000 };
    const { output } = await make(await order(), imagebuilderMaker(small));
    await output.dispose();
    const kept = async () => ({
      imagebuilders: await readdir(join(directory, 'small-cache', 'cache', 'imagebuilders')),
      packages: await readdir(join(directory, 'small-cache', 'cache', 'fetched-packages')),
    });
    await expect.poll(kept, { timeout: 30_000 }).toEqual({ imagebuilders: [], packages: [] });
  });

  it('answers a build before the caches are within their limit', async () => {
    const { output } = await make(await order(), imagebuilderMaker({ ...options('untrimmed'), cacheBytes: 1000 }));
    const trees = () => readdirSync(join(directory, 'untrimmed', 'cache', 'imagebuilders'));
    expect(trees()).not.toEqual([]);
    await output.dispose();
    await expect.poll(trees, { timeout: 30_000 }).toEqual([]);
  });

  it('stops when its signal aborts, throws the signal’s reason, and leaves nothing', async () => {
    const abort = new AbortController();
    const made = make(await order({ packages: ['slow-30'] }), maker, abort.signal);
    setTimeout(() => abort.abort(new Error('shutting down')), 2000);
    await expect(made).rejects.toThrow('shutting down');
    expect(await builds('shared')).toEqual([]);
  });

  it('leaves nothing when its signal aborts while the files of a failed build are removed', async () => {
    const abort = new AbortController();
    const made = make(await order({ packages: ['fails-install'] }), maker, abort.signal).catch((reason: unknown) => reason);
    // The makefile is among the first files that go; the directories of the tree go after it.
    const makefile = async () => join(directory, 'shared', 'work', 'builds', String((await builds('shared'))[0]), 'tree', 'Makefile');
    let path = await makefile();
    for (; !existsSync(path); path = await makefile()) await setImmediate();
    while (existsSync(path)) await setImmediate();
    abort.abort(new Error('shutting down'));
    await made;
    expect(await builds('shared')).toEqual([]);
  });

  it.each([
    [404, undefined],
    [500, [expect.objectContaining({ code: 'upstream_unreachable' })]],
  ])('warns that upstream did not answer only where that is so: HTTP %i', async (status, warnings) => {
    const { output } = await make(await order({ packages: ['aaa'] }));
    await output.dispose();
    const asked = await order({ packages: ['aaa'] });
    upstream.faults.add('sha256sums', { kind: 'status', status });
    const again = await make(asked, imagebuilderMaker(options('shared')));
    expect(again.output.warnings).toEqual(warnings);
    await again.output.dispose();
  });

  it('keeps using the cached ImageBuilder while sha256sums is unavailable', async () => {
    const { output } = await make(await order({ packages: ['aaa'] }));
    await output.dispose();
    const asked = await order({ packages: ['aaa'] });
    const restarted = imagebuilderMaker(options('shared'));
    upstream.faults.add('sha256sums', { kind: 'status', status: 500 });
    const again = await make(asked, restarted);
    expect(again.log).toContain('going on with the ImageBuilder in the cache');
    await again.output.dispose();
  });

  it('is final when upstream has moved on, even if the ImageBuilder is in the cache', async () => {
    const { output } = await make(await order());
    await output.dispose();
    const asked = await order();
    const sums = Buffer.from(`${'0'.repeat(64)} *${asked.imagebuilder.name}\n`);
    upstream.overlay('/releases/24.10.2/targets/x86/64/sha256sums', sums);
    upstream.overlay('/releases/24.10.2/targets/x86/64/sha256sums.sig', usignSignature(sums, demoUpstreamKey));
    const error: unknown = await make(asked, imagebuilderMaker(options('shared'))).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ isFinal: true, message: expect.stringContaining('is gone') });
  });

  it('removes what a killed server left behind, when it starts', async () => {
    const left = join(directory, 'left', 'work', 'builds', 'build.999999999.00000000');
    await mkdir(join(left, 'tree'), { recursive: true });
    await writeFile(join(left, 'tree', 'file'), '');
    await imagebuilderMaker(options('left')).ready();
    expect(await builds('left')).toEqual([]);
  });

  it('starts over a tree that is deeper than any path can be long, and removes it', async () => {
    const left = join(directory, 'deep', 'work', 'builds', 'build.999999999.00000000');
    await mkdir(left, { recursive: true });
    await dig(left, 600);
    await imagebuilderMaker(options('deep')).ready();
    expect(await builds('deep')).toEqual([]);
  });
});
