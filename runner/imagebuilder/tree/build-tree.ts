import { dirname, join } from 'node:path';
import { entriesInside, isDirectoryInside } from '#runner/files/entries.ts';
import { makeDirectory, putDirectory, putLink } from '#runner/files/put-file.ts';
import { runTool } from '../process/run-tool.ts';
import type { BuildPlace, Sandbox } from '../sandbox/sandbox.ts';

/**
 * The parts of an ImageBuilder that no build writes to once its prerequisites are checked: host programs, which are
 * most of its size. Builds share them instead of copying them.
 */
const READ_ONLY_PARTS = ['staging_dir/host'];

/**
 * Makes a build's own ImageBuilder at `tree`. The parent directory must exist, and `tree` must not. It copies
 * everything, by reflink where the file system supports it, except for the read-only parts. Those are mounted if the
 * sandbox mounts, linked if the build's uid cannot write to them, and copied otherwise.
 */
export async function makeBuildTree(
  cached: string,
  tree: string,
  sandbox: Sandbox,
  slot: number,
  signal: AbortSignal,
): Promise<BuildPlace> {
  await copyImagebuilder(cached, tree, sandbox, slot, sandbox.uidOf(slot), signal);
  return buildPlace(cached, tree, sandbox, slot);
}

/** Returns the place of a build whose tree has been copied. */
export async function buildPlace(cached: string, tree: string, sandbox: Sandbox, slot: number): Promise<BuildPlace> {
  const shared = sandbox.mountsReadOnlyParts ? await existing(cached, READ_ONLY_PARTS) : [];
  return { tree, readOnly: Object.fromEntries(shared.map((part) => [part, join(cached, part)])), slot };
}

/**
 * Copies an ImageBuilder for a build in this slot, as `makeBuildTree` does, with all files owned by `owner`; `undefined`
 * stands for the server's own user.
 */
export async function copyImagebuilder(
  cached: string,
  tree: string,
  sandbox: Sandbox,
  slot: number,
  owner: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  await makeDirectory(tree, { uid: owner, mode: 0o700 });

  const shares = sandbox.mountsReadOnlyParts || sandbox.uidOf(slot) !== undefined;
  const shared = shares ? await existing(cached, READ_ONLY_PARTS) : [];
  await copy(await pieces(cached, '', shared), cached, tree, owner, signal);

  for (const part of shared) {
    if (sandbox.mountsReadOnlyParts) await putDirectory(tree, part, owner);
    else await putLink(tree, part, join(cached, part));
  }
  // A build without its own /tmp uses this one (TMPDIR).
  await putDirectory(tree, 'tmp', owner);
}

/**
 * Returns the parts that are directories themselves. A link is left out, because the sandbox would show its target to
 * the build.
 */
async function existing(cached: string, parts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(parts.map((part) => isDirectoryInside(cached, part)));
  return parts.filter((_, index) => found[index]);
}

/** Returns what to copy into which directory, so that everything except `without` is copied. */
async function pieces(cached: string, directory: string, without: readonly string[]): Promise<{ directory: string; names: string[] }[]> {
  const names = (await entriesInside(cached, directory)).map(({ name }) => name);
  const split = names.filter((name) => without.some((part) => `${part}/`.startsWith(`${join(directory, name)}/`)));
  const whole = names.filter((name) => !split.includes(name));
  const inner = split.filter((name) => !without.includes(join(directory, name)));
  const below = await Promise.all(inner.map((name) => pieces(cached, join(directory, name), without)));
  return [{ directory, names: whole }, ...below.flat()];
}

/**
 * Copies with `cp -a`, which copies links as links and pipes as pipes. No other process writes to either tree
 * meanwhile.
 */
async function copy(
  parts: readonly { directory: string; names: string[] }[],
  cached: string,
  tree: string,
  uid: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (const { directory, names } of parts) {
    await putDirectory(tree, directory, uid);
    if (names.length === 0) continue;
    const sources = names.map((name) => join(cached, directory, name));
    // The copy runs with the build's uid, so that all files belong to the build without another pass.
    await runTool('cp', ['-a', '--reflink=auto', '-t', join(tree, directory), '--', ...sources], {
      cwd: dirname(tree),
      signal,
      ...(uid === undefined ? {} : { uid }),
    });
  }
}
