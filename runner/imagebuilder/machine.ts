import { chmod } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type Disposal, disposal } from '#runner/files/disposal.ts';
import { ownDirectory } from '#runner/files/own-directory.ts';
import { sweepOwned } from '#runner/files/owned-name.ts';
import { endLeftoverProcesses, isLeftover } from '#runner/processes/end-leftover-processes.ts';
import { type BuildKey, openBuildKey } from '#runner/signing/build-key.ts';
import { type ImagebuilderCache, imagebuilderCache } from './cache/imagebuilder-cache.ts';
import { type PackageCache, packageCache } from './cache/package-cache.ts';
import { type PreparedTrees, preparedTrees } from './cache/prepared-trees.ts';
import { type PackageLists, packageLists } from './courier/package-lists.ts';
import type { JobResources } from './image-jobs.ts';
import { DEFAULTS, type ImagebuilderMakerOptions } from './maker-options.ts';
import { chooseSandbox } from './sandbox/choose-sandbox.ts';
import { usableProcessors } from './sandbox/processors.ts';
import { DEFAULT_LIMITS, type Sandbox } from './sandbox/sandbox.ts';

/** The parts that all builds on this machine share. */
export interface Machine {
  readonly sandbox: Sandbox;
  readonly imagebuilders: ImagebuilderCache;
  readonly packages: PackageCache;
  readonly lists: PackageLists;
  readonly prepared: PreparedTrees;
  readonly key: BuildKey;
  /** The directory in which build directories are made. */
  readonly builds: string;
  readonly disposal: Disposal;
  /**
   * Starts to bring the caches within their limits. Call it at the end of each build, with whether it was the last that
   * ran: then all goes that is too much, otherwise only packages of other builds. It returns at once, since large trees
   * take long to remove; the end of a later build makes up for a failure.
   */
  readonly trimCaches: (isIdle: boolean) => void;
  readonly resources: JobResources;
}

/** The part of the cache that packages may take: a quarter. ImageBuilders have the rest, and what packages leave. */
const PACKAGES_PART = 4;

/** The prefix of the names of build directories. */
export const BUILD = 'build';

/** The prefix of the names of directories in which sandboxes are tried. */
const PROBE = 'probe';

/**
 * Prepares the machine: directories, umask, sandbox, keys, and the removal of what a killed process left behind. The
 * builds' uids may pass through the directories but not list them; they may not even pass through the directory of
 * keys.
 */
export async function startMachine(options: ImagebuilderMakerOptions): Promise<Machine> {
  // The umask holds for the whole process, and make inherits it. OpenWrt refuses any other (`proper-umask`).
  process.umask(0o022);
  const open = async (path: string): Promise<string> => {
    const directory = await ownDirectory(path);
    await chmod(directory, 0o711);
    return directory;
  };
  const cache = await open(options.cacheDirectory);
  const work = await open(options.workDirectory);
  const trees = await open(join(cache, 'imagebuilders'));
  const builds = await open(join(work, 'builds'));
  const packageDirectory = await ownDirectory(join(cache, 'fetched-packages'), 0o700);
  const preparedDirectory = await ownDirectory(join(work, 'prepared-trees'), 0o700);
  const rubbish = disposal({
    quarantine: join(work, 'quarantine'),
    onLeftover: options.onLeftover ?? (() => undefined),
    ...(options.onStillLeft && { onStillLeft: options.onStillLeft }),
  });

  // This comes before the sandbox is tried: processes that a killed server left running may hold uids, memory and
  // processors.
  await endLeftoverProcesses(builds);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sandbox = await chooseSandbox({ directory: builds, limits, firstUid: options.firstUid ?? DEFAULTS.firstUid }, options.sandbox);
  await sandbox.memory.cgroups?.sweep((name) => isLeftover(builds, name));
  const cacheBytes = options.cacheBytes ?? DEFAULTS.cacheBytes;
  const packages = packageCache(packageDirectory, Math.floor(cacheBytes / PACKAGES_PART), rubbish);
  const prepared = preparedTrees(preparedDirectory, sandbox, rubbish);
  const imagebuilders = imagebuilderCache(trees, cacheBytes, rubbish, { taken: packages.bytes, spare: prepared });
  const trimCaches = oneAtATime(async (idle) => {
    await packages.makeRoom({ idle });
    if (idle) await imagebuilders.makeRoom(0);
  });
  await Promise.all([
    sweepOwned(builds, BUILD, rubbish.remove),
    sweepOwned(builds, PROBE, rubbish.remove),
    imagebuilders.sweep(),
    prepared.sweep(),
  ]);
  // Earlier versions kept here the files that builds had left in their trees.
  void rubbish.remove(join(cache, 'packages'));
  // The start does not wait for the removal of files that no earlier start could remove or that a lower limit excludes.
  void rubbish.retry();
  trimCaches(true);

  return {
    sandbox,
    imagebuilders,
    packages,
    lists: packageLists(),
    prepared,
    key: await openBuildKey(options.keyDirectory),
    builds,
    disposal: rubbish,
    trimCaches,
    resources: {
      processors: options.processors ?? (await usableProcessors()),
      memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
      buildMemoryBytes: sandbox.memory.bytes,
    },
  };
}

/**
 * Returns a function that starts `act` without waiting for it: after the one that runs, if one does. Where several calls
 * come meanwhile, the latest counts. Failures change nothing.
 */
function oneAtATime(act: (isIdle: boolean) => Promise<void>): (isIdle: boolean) => void {
  let isDue = false;
  let latest = false;
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isDue) {
      isDue = false;
      await act(latest).catch(() => undefined);
    }
    isRunning = false;
  };
  return (isIdle) => {
    isDue = true;
    latest = isIdle;
    if (!isRunning) void run();
  };
}
