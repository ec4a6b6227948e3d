import { readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { BuildOrder } from '#core/build-order.ts';
import { InfrastructureFailure } from '#core/build-output.ts';
import { makeInfoCommand } from '#core/imagebuilder/commands.ts';
import { type MakeInfo, parseMakeInfo } from '#core/imagebuilder/make-info.ts';
import { type DownloadOptions, downloadTarball } from './download.ts';
import { extractTarball } from './extract-tarball.ts';
import { type MakeContext, runMake, tail } from './run-make.ts';
import { runTool } from './run-tool.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

/** What is remembered of an ImageBuilder beside its tree. */
export interface ImagebuilderFacts {
  readonly info: MakeInfo;
  readonly packageManager: 'opkg' | 'apk';
  readonly repositoryFile: 'repositories' | 'repositories.conf';
}

/** Stands in the tree of an ImageBuilder that checked its host: later builds need not. */
const PREREQUISITES = 'staging_dir/host/.prereq-build';

export interface FillContext extends Omit<MakeContext, 'place' | 'signal' | 'deadline'> {
  readonly download: DownloadOptions;
  readonly slot: number;
  /** Called when the download is there. */
  readonly onUnpack: () => void;
}

/**
 * Downloads, checks, unpacks and asks the ImageBuilder once for everything that is the same for all its builds, into
 * `directory`. Only the ImageBuilder's own programs run here, nothing of any request.
 */
export async function fillImagebuilder(
  order: BuildOrder,
  directory: string,
  context: FillContext,
  signal: AbortSignal,
): Promise<{ bytes: number; facts: ImagebuilderFacts }> {
  const log = context.log.line;
  const tarball = `${directory}.tarball`;
  await downloadTarball(order, tarball, context.download, log, signal);
  context.onUnpack();
  log(`Unpacking ${order.imagebuilder.name}`);
  const bytes = await extractTarball(tarball, directory, signal);
  await rm(tarball);
  log(`Unpacked ${bytes} bytes`);

  const usesApk = await exists(join(directory, 'repositories'));
  const info = await asOwner(context.sandbox, context.slot, directory, signal, () => askImagebuilder(directory, context, signal));
  return {
    bytes,
    facts: {
      info,
      packageManager: usesApk ? 'apk' : 'opkg',
      repositoryFile: usesApk ? 'repositories' : 'repositories.conf',
    },
  };
}

async function askImagebuilder(tree: string, context: FillContext, signal: AbortSignal): Promise<MakeInfo> {
  const make: MakeContext = {
    ...context,
    signal,
    deadline: performance.now() + context.timeoutMs,
    place: { tree, readOnly: {}, slot: context.slot },
  };
  const { exitCode, stdout, stderr } = await runMake(makeInfoCommand(), false, {
    ...make,
    log: { ...context.log, output: () => undefined },
  });
  const evidence = { stdout: tail(stdout), stderr: tail(stderr) };
  if (exitCode !== 0)
    throw new InfrastructureFailure(`The ImageBuilder does not run here: make info failed (${lastLine(stderr)})`, { evidence });
  let info: MakeInfo;
  try {
    info = parseMakeInfo(stdout);
  } catch (error) {
    throw new InfrastructureFailure(`The ImageBuilder cannot be used: ${error instanceof Error ? error.message : error}`, {
      cause: error,
      evidence,
    });
  }
  // Saves every build the check of its host. One that fails it here says why when it is asked for an image.
  const { exitCode: checked } = await runMake(['make', PREREQUISITES], false, make);
  if (checked === 0) await relinkTools(tree, context.sandbox.treeInside(make.place));
  else await rm(join(tree, PREREQUISITES), { force: true });
  return info;
}

/**
 * The check links some of the host's tools by the absolute path that the tree has while it runs (include/prereq-build.mk:
 * `xxd` and `ldconfig` are scripts of its own). Builds see the tree elsewhere.
 */
async function relinkTools(tree: string, inside: string): Promise<void> {
  const directory = join(tree, 'staging_dir/host/bin');
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isSymbolicLink()) continue;
    const target = await readlink(join(directory, entry.name));
    if (!target.startsWith(`${inside}/`)) continue;
    await rm(join(directory, entry.name));
    await symlink(relative('staging_dir/host/bin', target.slice(inside.length + 1)), join(directory, entry.name));
  }
}

/** Runs `use` while the tree belongs to the builds' uid; afterwards it is ours again, so that no build can change it. */
async function asOwner<T>(sandbox: Sandbox, slot: number, tree: string, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
  const uid = sandbox.uidOf(slot);
  if (uid === undefined) return use();
  const give = (to: number) => runTool('chown', ['-hR', `${to}:${to}`, '--', tree], { cwd: '/', signal });
  await give(uid);
  try {
    return await use();
  } finally {
    await give(process.getuid?.() ?? 0);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.slice(0, 200) ?? '';
