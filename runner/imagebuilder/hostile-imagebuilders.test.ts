import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { alterImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { demoCustomFeedKey, demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { imagebuilderMaker } from './imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from './maker-options.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

const directory = await temporaryDirectory();
await chmod(directory, 0o711);
await mkdir(join(directory, 'probe'));
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });
const known = [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey];

/** A directory in `/tmp/`, where links of an ImageBuilder may lead. */
let outside: string;
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  // The unpacker accepts a link to this place, so these links reach what comes after it, wherever TMPDIR is.
  outside = await mkdtemp('/tmp/asu-test-');
});
afterEach(async () => {
  await rm(outside, { recursive: true, force: true });
  upstream.restore();
  upstream.faults.clear();
});

let places = 0;

/** Builds, and returns the outcome with everything that anyone could read of it. */
async function build(
  request: Partial<BuildRequest> = {},
  options: Partial<ImagebuilderMakerOptions> & { place?: string } = {},
): Promise<{ made: BuildOutput | Error; public: string; keys: string }> {
  const { place = `place-${places++}`, ...others } = options;
  const at = (name: string) => join(directory, place, name);
  const maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: at('cache'),
    workDirectory: at('work'),
    keyDirectory: at('keys'),
    keys: known,
    ...others,
  });
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', ...request });
  const lines: string[] = [];
  const progress = { enter: () => undefined, log: (line: string) => lines.push(line) };
  const made = await maker.make(order, demoBinDir(), progress, new AbortController().signal).catch((error: unknown) => {
    if (error instanceof BuildFailure || error instanceof InfrastructureFailure) return error;
    throw error;
  });
  await (made instanceof Error ? made.evidence : made).dispose?.();
  return { made, public: [String(made), JSON.stringify(made), ...lines].join('\n'), keys: at('keys') };
}

describe('an ImageBuilder with links in places that our process reads and writes', () => {
  it('shows none of our environment in its answers', async () => {
    await alterImagebuilder(upstream, [{ name: 'repositories.conf', linkTarget: '/proc/self/environ' }]);
    const built = await build();
    expect(built.public).not.toContain('VITEST');
    expect(built.made).toMatchObject({
      isFinal: true,
      message: 'The ImageBuilder cannot be used: repositories.conf: expected a file of its own, found a symbolic link',
    });
  });

  it.each([
    ['uci-defaults', [{ name: 'asu-files/etc/' }, { name: 'asu-files/etc/uci-defaults' }]],
    ['asu-files', [{ name: 'asu-files' }]],
  ])('gets no first-boot script written to the target of a link: %s', async (name, members) => {
    const link = { ...members.at(-1), name: members.at(-1)?.name ?? '', linkTarget: outside };
    await alterImagebuilder(upstream, [...members.slice(0, -1), link]);
    const { made } = await build({ defaults: 'of the client' });
    expect(await readdir(outside)).toEqual([]);
    expect(made).toMatchObject({ message: expect.stringContaining(`${name}: expected a directory, found a symbolic link`) });
  });

  it.each(available.filter(({ mountsReadOnlyParts }) => mountsReadOnlyParts).map(({ level }) => level))(
    'is refused with a link in place of the courier’s directory, and the courier’s pipe is closed (%s)',
    async (sandbox) => {
      await alterImagebuilder(upstream, [{ name: 'asu-courier', linkTarget: outside }]);
      const { made } = await build({}, { sandbox, place: `courier-${sandbox}` });
      expect(made).toMatchObject({
        isFinal: true,
        message: 'The ImageBuilder cannot be used: asu-courier: expected a directory, found a symbolic link',
      });
      const open = async () => {
        const paths = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
        return paths.filter((path) => path.includes(`courier-${sandbox}`));
      };
      // The caches, which are trimmed after the build, are in the same place.
      await expect.poll(open).toEqual([]);
    },
  );

  it('gets no client key written to the target of a link', async () => {
    await writeFile(join(outside, 'kept'), '');
    // The demo's tarball has files in the directory, so it cannot be replaced there. It is replaced when the
    // ImageBuilder first runs.
    await alterImagebuilder(upstream, onFirstRun(`mv keys own-keys; ln -s ${outside} keys`));
    const { made } = await build({ repository_keys: [demoCustomFeedKey.publicKey] });
    expect(await readdir(outside)).toEqual(['kept']);
    expect(made).toMatchObject({ message: expect.stringContaining('keys: expected a directory, found a symbolic link') });
  });
});

/**
 * Returns a makefile that runs `commands` when the ImageBuilder first runs, and `always` each time. GNU make prefers
 * this file.
 */
const onFirstRun = (commands: string, always = '') => [
  {
    name: 'GNUmakefile',
    content: Buffer.from(`ifeq ($(wildcard .first),)\n$(shell touch .first; ${commands})\nendif\n${always}\ninclude Makefile\n`),
  },
];

describe('an ImageBuilder whose programs change it on its first run', () => {
  it.each([
    ['a pipe', 'mkfifo pipe', 'pipe: expected a file or directory, found a pipe'],
    ['too many directories within each other', `mkdir -p ${'d/'.repeat(80)}`, 'more than 64 directories'],
  ])('is not kept with %s', async (_, commands, message) => {
    await alterImagebuilder(upstream, onFirstRun(commands));
    const { made } = await build();
    expect(made).toMatchObject({ message: expect.stringContaining(`The ImageBuilder cannot be used: `) });
    expect(made).toMatchObject({ message: expect.stringContaining(message) });
  });

  it('is ended when it fills the disk, without blaming the request', async () => {
    await alterImagebuilder(upstream, onFirstRun('head -c 60000000 /dev/zero > filled; sleep 30'));
    const { made } = await build({}, { maxDiskBytes: 40_000_000 });
    expect(made).toBeInstanceOf(InfrastructureFailure);
    expect(made).toMatchObject({ message: 'The ImageBuilder cannot be used: The build took more than 38 MB of disk and was ended' });
  });

  it('is counted in the cache with the files that its programs have added', async () => {
    await alterImagebuilder(upstream, onFirstRun('head -c 30000000 /dev/zero > filled'));
    const { made } = await build({}, { place: 'filled' });
    expect(made).not.toBeInstanceOf(Error);
    const cache = join(directory, 'filled', 'cache', 'imagebuilders');
    const [sha256 = ''] = await readdir(cache);
    expect(JSON.parse(await readFile(join(cache, sha256, 'imagebuilder.json'), 'utf8')).bytes).toBeGreaterThan(30_000_000);
  });

  it.each(available.filter(({ level }) => level === 'bwrap').map(({ level }) => level))(
    'does not see the target of a link in place of its shared part (%s)',
    async (sandbox) => {
      await chmod(outside, 0o755);
      await writeFile(join(outside, 'secret'), 'the-secret-of-the-host');
      const always = '$(info $(shell ls -l staging_dir/; cat staging_dir/host/secret))';
      await alterImagebuilder(upstream, onFirstRun(`mv staging_dir/host staging_dir/real; ln -s ${outside} staging_dir/host`, always));
      const built = await build({}, { sandbox });
      expect(built.public).toContain(`host -> ${outside}`);
      expect(built.public).not.toContain('the-secret-of-the-host');
    },
  );
});

describe('the signing key of the server', () => {
  /** Makes a package script of the build show the key that is in the tree. */
  const showing = { packages: ['runs-defaults'], defaults: 'cat "$TOPDIR/key-build"\n' };
  const ours = async (keys: string) => (await readFile(join(keys, 'key-build'), 'utf8')).trim();
  const unsigned = 'carries no good signature of a known key';

  it('is in the tree of an ImageBuilder that a known key has signed, where package scripts can read it', async () => {
    const built = await build(showing);
    expect(built.public).toContain((await ours(built.keys)).split('\n').at(-1));
    expect(built.public).not.toContain(unsigned);
  });

  it.each([
    ['whose list is signed by an unknown key', { keys: [] }, true],
    ['whose signature is not checked', { verify: 'checksum' as const }, true],
    ['whose list is not signed', {}, false],
  ])('is not in the tree of one %s, and the log says so', async (_, options, isSigned) => {
    if (!isSigned) upstream.remove('/releases/24.10.2/targets/x86/64/sha256sums.sig');
    const built = await build(showing, options);
    expect(built.made).not.toBeInstanceOf(Error);
    expect(built.public).toContain(unsigned);
    expect(built.public).toContain('untrusted comment');
    expect(built.public).not.toContain((await ours(built.keys)).split('\n').at(-1));
  });

  it('is used again with an ImageBuilder that an earlier version cached, once its signature has been checked', async () => {
    const place = 'earlier';
    await build(showing, { place });
    const cache = join(directory, place, 'cache', 'imagebuilders');
    const [sha256 = ''] = await readdir(cache);
    const path = join(cache, sha256, 'imagebuilder.json');
    const { bytes, facts } = JSON.parse(await readFile(path, 'utf8'));
    expect(facts.signedBy).toBe(demoUpstreamKey.id);
    const { signedBy: _, ...earlier } = facts;
    await writeFile(path, JSON.stringify({ bytes, facts: earlier }));

    expect((await build(showing, { place })).public).not.toContain(unsigned);
    expect((await build(showing, { place, verify: 'checksum' })).public).toContain(unsigned);
  });
});
