import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildKey, openBuildKey } from '#runner/signing/build-key.ts';
import { MARKER } from './end-processes.ts';
import { type ImagebuilderCache, imagebuilderCache } from './imagebuilder-cache.ts';
import { DEFAULTS, type ImagebuilderMakerOptions } from './maker-options.ts';
import { sweepOwned } from './owned-name.ts';
import { type PackageCache, packageCache } from './package-cache.ts';
import { chooseSandbox } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS, type Sandbox } from './sandbox/sandbox.ts';

/** What builds share on this machine. */
export interface Machine {
  readonly sandbox: Sandbox;
  readonly imagebuilders: ImagebuilderCache;
  readonly packages: PackageCache;
  readonly key: BuildKey;
  /** Where build directories are made. */
  readonly builds: string;
}

/** Names of build directories begin so. */
export const BUILD = 'build';

/**
 * Gets the machine ready: directories, umask, what a killed process left, sandbox, keys. The directories may be passed
 * through by the builds' uids but not listed; the keys' not even that.
 */
export async function startMachine(options: ImagebuilderMakerOptions): Promise<Machine> {
  // Of the whole process, and inherited by make: OpenWrt refuses any other (`proper-umask`).
  process.umask(0o022);
  const trees = join(options.cacheDirectory, 'imagebuilders');
  const packages = join(options.cacheDirectory, 'packages');
  const builds = join(options.workDirectory, 'builds');
  for (const directory of [options.cacheDirectory, options.workDirectory, trees, builds]) {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o711);
  }
  await mkdir(packages, { recursive: true, mode: 0o700 });

  await endLeftProcesses(builds);
  await sweepOwned(builds, BUILD);
  const imagebuilders = imagebuilderCache(trees, options.cacheBytes ?? DEFAULTS.cacheBytes);
  await imagebuilders.sweep();

  const sandbox = await chooseSandbox(
    { directory: builds, limits: options.limits ?? DEFAULT_LIMITS, firstUid: options.firstUid ?? DEFAULTS.firstUid },
    options.sandbox,
  );
  return {
    sandbox,
    imagebuilders,
    packages: packageCache(packages, options.packageCacheBytes ?? DEFAULTS.packageCacheBytes),
    key: await openBuildKey(options.keyDirectory),
    builds,
  };
}

/** Without namespaces the processes of a killed server's builds live on: their marker names a directory of ours whose maker is gone. */
async function endLeftProcesses(builds: string): Promise<void> {
  for (const pid of (await readdir('/proc')).map(Number).filter((number) => number > 0 && number !== process.pid)) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const marker = environment.split('\0').find((entry) => entry.startsWith(`${MARKER}=${builds}/`));
    const maker = Number(marker?.slice(`${MARKER}=${builds}/`.length).split('.')[1]);
    if (marker === undefined || (maker !== process.pid && (await isAlive(maker)))) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

const isAlive = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/comm`).then(
    () => true,
    () => false,
  );
