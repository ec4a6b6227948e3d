import { dirname, relative } from 'node:path';
import type { BuildOrder } from '#core/build/build-order.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { makeInfoCommand } from '#core/imagebuilder/commands.ts';
import { type MakeInfo, parseMakeInfo } from '#core/imagebuilder/make-info.ts';
import { checkTree } from '#runner/files/check-tree.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { relink } from '#runner/files/relink.ts';
import { removeInside } from '#runner/files/remove-inside.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import type { DownloadOptions, Listing } from '../download/download.ts';
import { downloadAndUnpack } from '../download/download-and-unpack.ts';
import { evidenceText } from '../output/evidence-text.ts';
import { type MakeContext, runMake } from '../process/run-make.ts';
import { runTool } from '../process/run-tool.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { bytesIn, watchGrowth } from '../tree/watch-growth.ts';
import { takesImageJobs } from './takes-image-jobs.ts';

/** The facts about an ImageBuilder that are stored beside its tree. */
export interface ImagebuilderFacts {
  readonly info: MakeInfo;
  readonly packageManager: 'opkg' | 'apk';
  readonly repositoryFile: 'repositories' | 'repositories.conf';
  /**
   * The id of the known key that signed the list of digests which contains this ImageBuilder. Entries of earlier
   * versions have none.
   */
  readonly signedBy?: string;
  /** Whether it makes its images by the make that the caller names. Entries of earlier versions do not say it. */
  readonly takesImageJobs?: boolean;
}

/** A file in the tree of an ImageBuilder that has checked its host. Later builds skip the check. */
const PREREQUISITES = 'staging_dir/host/.prereq-build';

export interface FillContext extends Omit<MakeContext, 'place' | 'signal' | 'deadline'> {
  readonly download: DownloadOptions;
  readonly slot: number;
  /**
   * Called when the download is complete, with the id of the known key that signed it. When it throws, no program of
   * the ImageBuilder runs.
   */
  readonly onDownloaded: (signedBy: string | undefined) => void;
}

/**
 * Downloads, checks and unpacks the ImageBuilder into `directory`, and asks it once for everything that is the same for
 * all its builds. Only the ImageBuilder's own programs run here, and nothing from any request.
 */
export async function fillImagebuilder(
  order: BuildOrder,
  directory: string,
  context: FillContext,
  signal: AbortSignal,
): Promise<{ bytes: number; facts: ImagebuilderFacts }> {
  const { sandbox, slot, maxDiskBytes, download, log } = context;
  const unpacking = { download, log: log.line, onDownloaded: (listing: Listing) => context.onDownloaded(listing.signedBy) };
  const { signedBy } = await watched(dirname(directory), maxDiskBytes, signal, (bounded) =>
    downloadAndUnpack(order, directory, unpacking, bounded),
  );

  const usesApk = (await readInside(directory, 'repositories')) !== undefined;
  const info = await asOwner(sandbox, slot, directory, signal, () => askImagebuilder(directory, context, signal)).catch(unusable);
  return {
    // The size includes the files that its own programs have added.
    bytes: await bytesIn([directory], signal),
    facts: {
      info,
      packageManager: usesApk ? 'apk' : 'opkg',
      repositoryFile: usesApk ? 'repositories' : 'repositories.conf',
      ...(signedBy !== undefined && { signedBy }),
      takesImageJobs: await takesImageJobs(directory),
    },
  };
}

/** Runs `use`, and stops it when `directory` takes more of the disk than a build may. */
async function watched<T>(directory: string, maxBytes: number, signal: AbortSignal, use: (bounded: AbortSignal) => Promise<T>): Promise<T> {
  const growth = watchGrowth(directory, maxBytes);
  try {
    return await use(AbortSignal.any([signal, growth.signal]));
  } catch (error) {
    signal.throwIfAborted();
    return unusable(growth.signal.aborted ? growth.signal.reason : error);
  } finally {
    growth.stop();
  }
}

/** Throws a failure that does not blame the request that came first for what the ImageBuilder does by itself. */
function unusable(error: unknown): never {
  if (!(error instanceof UnexpectedFileError) && !(error instanceof BuildFailure)) throw error;
  const evidence = error instanceof BuildFailure && { evidence: error.evidence };
  throw new InfrastructureFailure(`The ImageBuilder cannot be used: ${error.message}`, { cause: error, ...evidence });
}

async function askImagebuilder(tree: string, context: FillContext, signal: AbortSignal): Promise<MakeInfo> {
  const make: MakeContext = {
    ...context,
    signal,
    deadline: performance.now() + context.timeoutMs,
    place: { tree, readOnly: {}, slot: context.slot },
  };
  const { exitCode, stdout, stderr } = await runMake(makeInfoCommand(), {
    ...make,
    log: { ...context.log, output: () => undefined },
  });
  const evidence = { stdout: evidenceText(stdout), stderr: evidenceText(stderr) };
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
  // This saves every build the check of its host. An ImageBuilder that fails the check explains why when it is asked
  // for an image.
  const { exitCode: checked } = await runMake(['make', PREREQUISITES], make);
  if (checked === 0) await relinkTools(tree, context.sandbox.treeInside(make.place));
  else await removeInside(tree, PREREQUISITES);
  return info;
}

/**
 * Changes the links that the check of the host makes to the host's tools: they contain the absolute path that the tree
 * has while it runs (include/prereq-build.mk; `xxd` and `ldconfig` are its own scripts). Builds see the tree at another
 * path.
 */
const relinkTools = (tree: string, inside: string): Promise<void> =>
  relink(tree, TOOLS, (target) => (target.startsWith(`${inside}/`) ? relative(TOOLS, target.slice(inside.length + 1)) : undefined));

const TOOLS = 'staging_dir/host/bin';

/**
 * Runs `use` while the tree belongs to the builds' uid. Afterwards the tree is ours again, so that no build can change
 * it. The tree is checked first, because a file with another name elsewhere would become ours there, too.
 */
async function asOwner<T>(sandbox: Sandbox, slot: number, tree: string, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
  const uid = sandbox.uidOf(slot);
  const give = (to: number) => runTool('chown', ['-hR', `${to}:${to}`, '--', tree], { cwd: '/', signal });
  if (uid !== undefined) await give(uid);
  const used = await use();
  await checkTree(tree, signal);
  if (uid !== undefined) await give(process.getuid?.() ?? 0);
  return used;
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.slice(0, 200) ?? '';
