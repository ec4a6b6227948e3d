import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '#runner/files/remove-tree.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { availableSandboxes } from '../sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from '../sandbox/sandbox.ts';
import { makeBuildTree } from '../tree/build-tree.ts';
import { preparedTrees } from './prepared-trees.ts';

const probe = await temporaryDirectory();
await chmod(probe, 0o711);
const available = (await availableSandboxes({ directory: probe, limits: DEFAULT_LIMITS, firstUid: 59_100 })).filter(
  ({ level }) => level !== 'plain',
);

const never = new AbortController().signal;
const much = async () => Number.MAX_SAFE_INTEGER;
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

let directory: string;
let cached: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await chmod(directory, 0o711);
  cached = join(directory, 'cached');
  for (const name of ['staging_dir/host/bin', 'staging_dir/target', 'target/linux', 'scripts'])
    await mkdir(join(cached, name), { recursive: true });
  await writeFile(join(cached, 'Makefile'), 'all:\n');
  await writeFile(join(cached, 'scripts/run.sh'), 'true\n', { mode: 0o755 });
  await writeFile(join(cached, 'target/linux/kernel.bin'), Buffer.alloc(100_000, 'k'));
  await writeFile(join(cached, 'staging_dir/host/bin/tool'), 'tool', { mode: 0o755 });
  await symlink('run.sh', join(cached, 'scripts/link.sh'));
  await mkdir(join(directory, 'builds'), { mode: 0o711 });
  await mkdir(join(directory, 'prepared'), { mode: 0o700 });
});

const left = () => readdir(join(directory, 'prepared'));

/** Returns everything about the entries of a tree that a build could see, but the times at which they were made. */
async function described(tree: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('find', ['.', '-printf', '%y %p %m %U %G %l %s %n\n'], { cwd: tree });
  // The size and names of a directory depend on the file system, and the owner of a link on nothing that matters.
  const shown = (line: string) => (line.startsWith('d') ? line.replace(/ \d+ \d+$/, '') : line.replace(/^(l \S+ \d+) \d+ \d+/, '$1'));
  return stdout.trimEnd().split('\n').map(shown).sort();
}

describe.each(available.map((sandbox) => [sandbox.level, sandbox] as const))('trees made ahead for %s', (_, sandbox) => {
  const trees = () => preparedTrees(join(directory, 'prepared'), sandbox, { remove: removeTree });
  const prepared = (using: ReturnType<typeof trees>, sha256 = A, slot = 3, room = much) =>
    using.prepare({ sha256, tree: cached }, slot, room).done;
  const place = (name: string) => join(directory, 'builds', name);

  it('are as the tree that a build makes by itself, and become the tree of one build', async () => {
    const using = trees();
    await prepared(using);
    expect(using.bytes()).toBeGreaterThan(100_000);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('ahead'))).toBe(true);
    expect(using.bytes()).toBe(0);
    await makeBuildTree(cached, place('own'), sandbox, 3, never);
    expect(await described(place('ahead'))).toEqual(await described(place('own')));
    expect(await using.take({ sha256: A, tree: cached }, 3, place('again'))).toBe(false);
    expect(await left()).toEqual([]);
  });

  it('are for one ImageBuilder and one slot', async () => {
    const using = trees();
    await prepared(using);
    expect(await using.take({ sha256: B, tree: cached }, 3, place('other'))).toBe(false);
    expect(await using.take({ sha256: A, tree: cached }, 4, place('other'))).toBe(false);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('same'))).toBe(true);
  });

  it('are out of reach while they wait', async () => {
    await prepared(trees());
    const facts = await lstat(join(directory, 'prepared'));
    expect(facts.mode & 0o777).toBe(0o700);
    expect(facts.uid).toBe(process.getuid?.());
  });

  it('replace that of another ImageBuilder for the same slot', async () => {
    const using = trees();
    await prepared(using, A);
    await prepared(using, B);
    expect(await left()).toHaveLength(1);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('old'))).toBe(false);
    expect(await using.take({ sha256: B, tree: cached }, 3, place('new'))).toBe(true);
  });

  it('are not kept without room, and go when they are dropped', async () => {
    const using = trees();
    await prepared(using, A, 3, async () => 1000);
    expect(using.bytes()).toBe(0);
    expect(await left()).toEqual([]);
    await prepared(using);
    await using.drop();
    expect(using.bytes()).toBe(0);
    expect(await left()).toEqual([]);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('dropped'))).toBe(false);
  });

  it('leave nothing when they are stopped before they are complete', async () => {
    const using = trees();
    await using.prepare({ sha256: A, tree: cached }, 3, much).stop();
    expect(await left()).toHaveLength(using.bytes() > 0 ? 1 : 0);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('half'))).toBe(using.bytes() > 0);
  });

  it('of an earlier process are removed, and a tree that vanished is made by the build', async () => {
    await prepared(trees());
    await trees().sweep();
    expect(await left()).toEqual([]);
    const using = trees();
    await prepared(using);
    await rm(join(directory, 'prepared', String((await left())[0])), { recursive: true });
    expect(await using.take({ sha256: A, tree: cached }, 3, place('vanished'))).toBe(false);
  });

  it('of an ImageBuilder that left the cache meanwhile are not used', async () => {
    const using = trees();
    await prepared(using);
    await rename(cached, join(directory, 'gone'));
    await cp(join(directory, 'gone'), cached, { recursive: true });
    expect(await using.take({ sha256: A, tree: cached }, 3, place('refilled'))).toBe(false);
    await prepared(using);
    expect(await using.take({ sha256: A, tree: cached }, 3, place('refilled'))).toBe(true);
  });

  it('are not made of an ImageBuilder that is not in the cache', async () => {
    const using = trees();
    await rm(cached, { recursive: true });
    await prepared(using);
    expect(await left()).toEqual([]);
  });
});
