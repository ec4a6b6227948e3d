import { dirname, join } from 'node:path';
import { entriesInside, isDirectoryInside } from '#runner/files/entries.ts';
import { makeDirectory, putDirectory, putLink } from '#runner/files/put-file.ts';
import { runTool } from '../process/run-tool.ts';
import type { BuildPlace, Sandbox } from '../sandbox/sandbox.ts';

/**
 * Parts of an ImageBuilder that no build writes to once its prerequisites are checked, and most of its size: host programs.
 * They are shared instead of copied.
 */
const READ_ONLY_PARTS = ['staging_dir/host'];

/**
 * A build's own ImageBuilder at `tree` (its directory exists, `tree` does not): copied, by reflink where the file system
 * can, except for the read-only parts. Those are mounted where the sandbox mounts, linked where the build's uid could not
 * write to them, else copied too.
 */
export async function makeBuildTree(
  cached: string,
  tree: string,
  sandbox: Sandbox,
  slot: number,
  signal: AbortSignal,
): Promise<BuildPlace> {
  const uid = sandbox.uidOf(slot);
  await makeDirectory(tree, { uid, mode: 0o700 });

  const shares = sandbox.mountsReadOnlyParts || uid !== undefined;
  const shared = shares ? await existing(cached, READ_ONLY_PARTS) : [];
  await copy(await pieces(cached, '', shared), cached, tree, uid, signal);

  for (const part of shared) {
    if (sandbox.mountsReadOnlyParts) await putDirectory(tree, part, uid);
    else await putLink(tree, part, join(cached, part));
  }
  // A build without a /tmp of its own has this one (TMPDIR).
  await putDirectory(tree, 'tmp', uid);
  const readOnly = sandbox.mountsReadOnlyParts ? Object.fromEntries(shared.map((part) => [part, join(cached, part)])) : {};
  return { tree, readOnly, slot };
}

/** Those that are directories themselves: where a link leads, the sandbox would show it to the build. */
async function existing(cached: string, parts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(parts.map((part) => isDirectoryInside(cached, part)));
  return parts.filter((_, index) => found[index]);
}

/** What to copy into which directory so that all but `without` is copied. */
async function pieces(cached: string, directory: string, without: readonly string[]): Promise<{ directory: string; names: string[] }[]> {
  const names = (await entriesInside(cached, directory)).map(({ name }) => name);
  const split = names.filter((name) => without.some((part) => `${part}/`.startsWith(`${join(directory, name)}/`)));
  const whole = names.filter((name) => !split.includes(name));
  const inner = split.filter((name) => !without.includes(join(directory, name)));
  const below = await Promise.all(inner.map((name) => pieces(cached, join(directory, name), without)));
  return [{ directory, names: whole }, ...below.flat()];
}

/** `cp -a` copies links as links and pipes as pipes; nobody else writes to either tree meanwhile. */
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
    // As the build's own uid: then everything belongs to it without another pass.
    await runTool('cp', ['-a', '--reflink=auto', '-t', join(tree, directory), '--', ...sources], {
      cwd: dirname(tree),
      signal,
      ...(uid === undefined ? {} : { uid }),
    });
  }
}
