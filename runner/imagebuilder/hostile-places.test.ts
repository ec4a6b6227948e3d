import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import type { Leftover } from '#runner/files/disposal.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder-maker.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

/**
 * A text of the host that must not reach any answer. In these tests a package script puts every kind of file at every
 * place that our process touches after a build.
 */
const SECRET = 'the-secret-of-the-host';
const directory = await mkdtemp(join(tmpdir(), 'asu-places-'));
await chmod(directory, 0o711);
await mkdir(join(directory, 'probe'));
const [strongest] = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });
const host = join(directory, 'host');
const at = (name: string) => join(directory, name);

let upstream: DemoUpstreamServer;
let maker: ImagebuilderMaker;
const leftovers: Leftover[] = [];
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  // Our process finds these names where a directory is replaced by a link to this one: every name that it looks for.
  for (const name of [
    'secret',
    'profiles.json',
    'openwrt-evil.bin',
    'usr/lib/opkg/status',
    'root-x86/usr/lib/opkg/status',
    'openwrt_base',
  ]) {
    await mkdir(join(host, name, '..'), { recursive: true });
    await writeFile(join(host, name), SECRET);
  }
  maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: at('cache'),
    workDirectory: at('work'),
    keyDirectory: at('keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    onLeftover: (leftover) => leftovers.push(leftover),
    ...(strongest && { sandbox: strongest.level }),
  });
});
afterAll(async () => {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

/** Commands that put something at the path `$1`. Nothing is there, and its directory exists. */
const KINDS: Readonly<Record<string, string>> = {
  'a link to a file of the host': `ln -s ${host}/secret "$1"`,
  'a link to /etc/passwd': 'ln -s /etc/passwd "$1"',
  'a link to the environment': 'ln -s /proc/self/environ "$1"',
  'a link to nothing': 'ln -s nowhere "$1"',
  'a link to itself': 'ln -s "$(basename "$1")" "$1"',
  'a link to a directory of the host': `ln -s ${host} "$1"`,
  'a second name': 'ln "$TOPDIR/Makefile" "$1"',
  'a pipe': 'mkfifo "$1"',
  'a socket': `perl -MIO::Socket::UNIX -e 'chdir($ARGV[0]); IO::Socket::UNIX->new(Local => "s", Listen => 1) or die; rename("s", $ARGV[1])' "$(dirname "$1")" "$(basename "$1")"`,
  'a device': 'mknod "$1" c 1 5 || touch "$1"',
  'a directory': 'mkdir "$1"; touch "$1/file"',
  'an empty file': 'touch "$1"',
  'a file closed to everybody': 'echo closed > "$1"; chmod 0 "$1"',
  'a huge file of holes': 'truncate -s 3G "$1"',
  'names that are no text': 'touch "$1$(printf \'\\n\\377\\033[31m\')"; touch "$1"',
};

/** Places in the tree from which no output is taken. */
const TREE = `
.config repositories.conf repositories key-build key-build.pub key-build.ucert keys/evil keys
local-private-key.pem dl/openwrt_base dl/vim_1.ipk dl/APKINDEX.00000000.tar.gz dl/Packages dl tmp/.packageinfo tmp .packageinfo .targetinfo
files/etc/passwd files asu-files/etc/uci-defaults/99-asu-defaults asu-files/etc asu-files packages/Packages logs/build.log build.log
output staging_dir/host/.prereq-build staging_dir`;
const OUTPUT = `
for name in openwrt-evil.bin openwrt-evil.manifest sub/openwrt-evil.bin sha256sums; do plant "$BIN_DIR/$name"; done
for manifest in "$BIN_DIR"/*.manifest; do plant "$manifest"; done`;

const script = (kind: string, places: string) => `
cat >> "$TOPDIR/Makefile" <<'END'
checksum: FORCE
	@sh $(TOPDIR)/late.sh >/dev/null 2>&1; echo planted at $$(wc -l < /tmp/planted) places
END
cat > "$TOPDIR/late.sh" <<'END'
plant() {
  echo >> /tmp/planted
  chmod u+w "$(dirname "$1")"
  mv "$1" "$TOPDIR/moved-$$-$((moved = moved + 1))" || rm -rf "$1"
  mkdir -p "$(dirname "$1")"
  ${KINDS[kind]}
}
cd "$TOPDIR"
${places}
END
exit 0`;

async function attack(defaults: string | undefined): Promise<{ made: unknown; public: string }> {
  const packages = defaults === undefined ? [] : ['runs-defaults'];
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', packages, ...(defaults !== undefined && { defaults }) });
  const lines: string[] = [];
  const progress = { enter: () => undefined, log: (line: string) => lines.push(line) };
  const made = await maker.make(order, demoBinDir(), progress, new AbortController().signal).catch((error: unknown) => {
    if (error instanceof BuildFailure || error instanceof InfrastructureFailure) return error;
    throw error;
  });
  const isFailure = made instanceof Error;
  const said = [String(made), JSON.stringify(made), ...lines];
  for (const path of isFailure ? [] : made.files.map((file) => file.path)) said.push(await readFile(path, 'latin1'));
  const log = (isFailure ? made.evidence.logPath : made.logPath) ?? '';
  said.push(await readFile(log, 'latin1').catch(() => ''));
  await (isFailure ? made.evidence : made).dispose?.();
  for (const ours of [at('cache/fetched-packages'), at('keys')]) said.push(...(await contentsBelow(ours)));
  return { made, public: said.join('\n') };
}

async function contentsBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return Promise.all(entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
}

async function hostState(): Promise<unknown> {
  const entries = (await readdir(host, { recursive: true })).sort();
  return Promise.all(
    entries.map(async (name) => {
      const { mode, uid, mtimeMs, nlink } = await lstat(join(host, name));
      return [name, mode, uid, mtimeMs, nlink];
    }),
  );
}

/**
 * Returns texts of the server's environment and of a file that every machine has. An answer that contains one of them
 * shows too much.
 */
const canaries = async (): Promise<string[]> => [
  SECRET,
  ...(await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => line.startsWith('root:')),
  ...(await readFile('/proc/self/environ', 'latin1')).split('\0').filter((entry) => entry.startsWith('VITEST')),
];

const plantAll = (places: string) => `for place in ${places.trim().replaceAll('\n', ' ')}; do plant "$TOPDIR/$place"; done`;
/** One build has all places. `planted-files.test.ts` tests each of them alone, and those that make a build fail. */
const EVERYWHERE = `${plantAll(TREE)}\n${OUTPUT}`;

it.each(Object.keys(KINDS))('%s in all places shows nothing of the host and changes nothing there', async (kind) => {
  const [before, secrets] = [await hostState(), await canaries()];
  expect(secrets.length).toBeGreaterThan(2);
  const { made, public: shown } = await attack(script(kind, EVERYWHERE));
  for (const secret of secrets) expect(shown.includes(secret)).toBe(false);
  expect(await hostState()).toEqual(before);
  expect(shown).toMatch(/planted at [1-9]\d* places/);
  // It is ignored, or the build fails with an explanation in our own words.
  if (made instanceof Error) expect(made.message).toMatch(/^[A-Z][ -~]{10,400}$/);
  expect(await readdir(at('work/builds'))).toEqual([]);
  expect(leftovers).toEqual([]);
});

it('the server keeps working', async () => {
  const { made } = await attack(undefined);
  expect(made).not.toBeInstanceOf(Error);
});
