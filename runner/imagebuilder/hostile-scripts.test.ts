import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import type { Leftover } from '#runner/files/disposal.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { imagebuilderMaker } from './imagebuilder-maker.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, type SandboxLevel } from './sandbox/sandbox.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

/**
 * A text of the host that must not reach any answer. In these tests a malicious package script plants things where our
 * process looks after a build, in every sandbox of this machine.
 */
const SECRET = 'the-secret-of-the-host';
const directory = await temporaryDirectory();
await chmod(directory, 0o711);
await mkdir(join(directory, 'probe'));
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });

const host = join(directory, 'host');
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  // A build finds these names where a link leads here: every name that our process looks for.
  for (const name of ['secret', 'profiles.json', 'openwrt-secret.bin', 'root-x86/usr/lib/opkg/status', 'openwrt_base', 'vim_1.ipk']) {
    await mkdir(join(host, name, '..'), { recursive: true });
    await writeFile(join(host, name), SECRET);
  }
});
afterAll(() => upstream.close());

/** Returns a script that runs `commands` last, when the images are made, in place of their checksums. */
const atTheEnd = (commands: string) => `
cat >> "$TOPDIR/Makefile" <<'END'
checksum: FORCE
	@sh $(TOPDIR)/late.sh >/dev/null 2>&1; true
END
cat > "$TOPDIR/late.sh" <<'END'
${commands}
END
exit 0`;

const leftovers: Leftover[] = [];

/** Runs a build with the script, and returns its outcome with everything that anyone could read of it afterwards. */
async function attack(level: SandboxLevel, script: string): Promise<{ output: BuildOutput | undefined; public: string }> {
  const at = (name: string) => join(directory, level, name);
  const maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: at('cache'),
    workDirectory: at('work'),
    keyDirectory: at('keys'),
    keys: [parseUsignPublicKey(demoUpstreamKey.publicKey) as UsignPublicKey],
    sandbox: level,
    onLeftover: (leftover) => leftovers.push(leftover),
  });
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', packages: ['runs-defaults'], defaults: script });
  const lines: string[] = [];
  const made = await maker
    .make(order, demoBinDir(), { enter: () => undefined, log: (line) => lines.push(line) }, new AbortController().signal)
    .catch((error: unknown) => {
      if (error instanceof BuildFailure || error instanceof InfrastructureFailure) return error;
      throw error;
    });
  const isFailure = made instanceof Error;
  const files = isFailure ? [] : await Promise.all(made.files.map(({ path }) => readFile(path, 'latin1')));
  const log = (isFailure ? made.evidence.logPath : made.logPath) ?? '';
  const said = [String(made), JSON.stringify(made), ...files, await readFile(log, 'latin1').catch(() => ''), ...lines];
  await (isFailure ? made.evidence : made).dispose?.();
  for (const cache of [at('cache/fetched-packages'), at('keys')]) said.push(...(await contentsBelow(cache)));
  expect(await readdir(at('work/builds'))).toEqual([]);
  return { output: isFailure ? undefined : made, public: said.join('\n') };
}

async function contentsBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return Promise.all(entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
}

async function hostState(): Promise<unknown> {
  const entries = (await readdir(host, { recursive: true })).sort();
  return Promise.all(
    entries.map(async (name) => [name, await lstat(join(host, name)).then(({ mode, uid, mtimeMs }) => [mode, uid, mtimeMs])]),
  );
}

/** Scripts by their effect. Each puts links to the host where the server looks when the build is over. */
const attacks: [what: string, script: string][] = [
  ['profiles.json is a link', 'rm -f "$BIN_DIR/profiles.json"; ln -s HOST/secret "$BIN_DIR/profiles.json"'],
  ['BIN_DIR is a link', 'rm -rf "$BIN_DIR"; ln -s HOST "$BIN_DIR"'],
  [
    'the package database is a link',
    'for f in "$TOPDIR"/build_dir/target-*/root-*/usr/lib/opkg/status; do rm -f "$f"; ln -s HOST/secret "$f"; done',
  ],
  ['build_dir has a link for a target', 'for d in "$TOPDIR"/build_dir/target-*; do rm -rf "$d"; ln -s HOST "$d"; done'],
  ['the tree itself is a link', 'mv "$TOPDIR" "$TOPDIR-away"; ln -s HOST "$TOPDIR"'],
];

/** Oddities that do no harm to the images. One build has all of them. */
const ODDITIES = `
ln -s HOST/secret "$BIN_DIR/openwrt-link.bin"
ln "$TOPDIR/.config" "$BIN_DIR/openwrt-second.bin"
ln HOST/secret "$BIN_DIR/openwrt-hard.bin"
mkfifo "$BIN_DIR/openwrt-pipe.bin"
mkdir "$BIN_DIR/openwrt-directory.bin"
mknod "$BIN_DIR/openwrt-device.bin" c 1 5
rm -f "$TOPDIR/dl/openwrt_base" "$TOPDIR/key-build.ucert"
ln -s HOST/secret "$TOPDIR/dl/openwrt_base"
ln -s HOST/secret "$TOPDIR/dl/linked_1.ipk"
mkfifo "$TOPDIR/dl/pipe_1.ipk"
truncate -s 3G "$TOPDIR/dl/huge_1.ipk"
ln -s HOST/secret "$TOPDIR/key-build.ucert"
mkdir "$TOPDIR/closed"
chmod 0 "$TOPDIR/closed"
mkdir -p "$TOPDIR/old"
deep=$(printf 'down/%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40)
i=0
while [ $i -lt 30 ]; do
  mkdir -p "$TOPDIR/new/$deep"
  mv "$TOPDIR/old" "$TOPDIR/new/$deep/"
  mv "$TOPDIR/new" "$TOPDIR/old"
  i=$((i + 1))
done`;

/** `unshare` is left out, because it treats files as `uid` does. */
const levels = available.map(({ level }) => level).filter((level, _, all) => level !== 'unshare' || !all.includes('uid'));

describe.each(levels)('a hostile package script in %s', (level) => {
  it.each(attacks)('reads nothing of the host and changes nothing there: %s', async (_, script) => {
    const before = await hostState();
    const made = await attack(level, atTheEnd(script.replaceAll('HOST', host)));
    expect(made.public).not.toContain(SECRET);
    expect(await hostState()).toEqual(before);
  });

  it('leaves odd things everywhere, and the server removes them all', async () => {
    const before = await hostState();
    const made = await attack(level, atTheEnd(ODDITIES.replaceAll('HOST', host)));
    expect(made.public).not.toContain(SECRET);
    expect(await hostState()).toEqual(before);
    expect(made.public).toMatch(/Not taken from BIN_DIR: .*openwrt-pipe\.bin/);
    expect(made.output?.files.map(({ name }) => name).filter((name) => /link|second|hard|pipe|directory|device/.test(name))).toEqual([]);
    expect(leftovers).toEqual([]);
  });
});
