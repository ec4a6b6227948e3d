import pRetry from 'p-retry';
import type { IndexDigests, LinuxKernel, TargetRecord } from '#core/catalogue/catalogue.ts';
import { hasKmodSplit } from '#core/catalogue/package-index.ts';
import { anyImagebuilder, imagebuilderOf, MalformedFileError } from '#core/catalogue/upstream-files.ts';
import type { CachedFiles } from './cached-files.ts';
import { PROFILES, SUMS } from './file-formats.ts';
import { mergeIndexes, NO_INDEX, type ReadIndex, type ReadOptions, readIndexOrGap } from './read-index.ts';

/** The failure of a target whose files do not belong together, because an upload to upstream is in progress. */
class InconsistentSnapshotError extends Error {
  override readonly name = 'InconsistentSnapshotError';
  constructor(path: string) {
    super(`${path} is not the file that sha256sums lists; upstream is probably being updated`);
  }
}

/** What upstream publishes for a target, without the feeds of its architecture. */
export interface ReadTarget {
  readonly record: Omit<TargetRecord, 'fetchedAt' | 'packageIndex'>;
  readonly own: ReadIndex;
}

export interface TargetName {
  readonly version: string;
  readonly versionPath: string;
  readonly target: string;
  /** The architecture in `.targets.json`, for a `profiles.json` that names none. Empty when neither names one. */
  readonly arch: string;
  /** The beginning of the names of the distribution's ImageBuilders. */
  readonly imagebuilderPrefix: string;
}

/** How often the whole target is read again when its files do not belong together. */
const RETRIES = 2;
const RETRY_AFTER_MS = 250;

/**
 * Returns a target in one consistent snapshot, or `undefined` when upstream has no `profiles.json` for it. Each file
 * that `sha256sums` lists must have the listed digest. Otherwise it reads all files again, past caches, and finally
 * throws `InconsistentSnapshotError`. A tree without `sha256sums` is read without this check.
 */
export function readTarget(files: CachedFiles, name: TargetName, options: ReadOptions = {}): Promise<ReadTarget | undefined> {
  return pRetry((attempt) => readOnce(files, name, { ...options, reload: attempt > 1 }), {
    retries: RETRIES,
    minTimeout: RETRY_AFTER_MS,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof InconsistentSnapshotError,
  });
}

async function readOnce(files: CachedFiles, name: TargetName, options: ReadOptions): Promise<ReadTarget | undefined> {
  const { version, versionPath, target } = name;
  const directory = `${versionPath}/targets/${target}`;
  const sums = await files.read(`${directory}/sha256sums`, SUMS, options);
  const profiles = await files.read(`${directory}/profiles.json`, PROFILES, options);
  if (profiles === undefined && !sums?.value.has('profiles.json')) return undefined;
  const check = (read: IndexDigests) => assertListed(directory, sums?.value, read);
  check({ [`${directory}/profiles.json`]: profiles?.digest ?? '' });
  if (profiles === undefined) throw new MalformedFileError('profiles.json', 'it is not there');

  const { revision, arch, kernel, ...facts } = profiles.value;
  const own = await readOwnPackages(files, directory, versionPath, kernel, options);
  check(own.indexes);
  const imagebuilder = sums && imagebuilderOf(sums.value, name.imagebuilderPrefix);
  const foreign = imagebuilder === undefined ? sums && anyImagebuilder(sums.value) : undefined;
  return {
    own,
    record: {
      version,
      target,
      versionPath,
      arch: arch ?? name.arch,
      revision,
      ...(kernel !== undefined && { kernel }),
      ...facts,
      ...(imagebuilder !== undefined && { imagebuilder }),
      ...(foreign !== undefined && { foreignImagebuilder: foreign }),
      indexes: own.indexes,
    },
  };
}

/**
 * Returns the index of the target's packages, with its kernel modules when they have a directory of their own. Without
 * the kernel's version the directory has no name, so the index lacks the modules. A mirror that is late may have the
 * target before its directories: these are `missing`.
 */
async function readOwnPackages(
  files: CachedFiles,
  directory: string,
  versionPath: string,
  kernel: LinuxKernel | undefined,
  options: ReadOptions,
): Promise<ReadIndex> {
  const read = async (place: string) =>
    (await readIndexOrGap(files, `${directory}/${place}`, options)) ?? { ...NO_INDEX, missing: [`${directory}/${place}`] };
  if (!hasKmodSplit(versionPath)) return mergeIndexes([await read('packages')]);
  const modules = kernel === undefined ? undefined : read(`kmods/${kernel.version}-${kernel.release}-${kernel.vermagic}`);
  return mergeIndexes(await Promise.all([read('packages'), modules]));
}

function assertListed(directory: string, listed: ReadonlyMap<string, string> | undefined, read: IndexDigests): void {
  for (const [path, digest] of Object.entries(read)) {
    const expected = listed?.get(path.slice(directory.length + 1));
    if (expected !== undefined && expected !== digest) throw new InconsistentSnapshotError(path);
  }
}
