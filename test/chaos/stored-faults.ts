import { MAX_ATTEMPTS } from '#core/build/attempt.ts';
import type { Build } from '#core/build/build.ts';
import { checkFiles, type ReadFile } from './check-files.ts';
import type { StoredFault } from './system.ts';

/** The store of results and files, read without the server. */
export interface ReadStore {
  read(key: string): Promise<Buffer | undefined>;
  /** Returns the names directly below a folder, each with when the newest file of it was written. */
  names(folder: string): Promise<ReadonlyMap<string, number>>;
}

/**
 * Returns where the store is not what the rows say: missing or changed files, and files that no row names. `stops` are
 * the times at which a process was killed or stopped.
 */
export async function storedFaults(builds: readonly Build[], store: ReadStore, stops: readonly number[] = []): Promise<StoredFault[]> {
  const faults: StoredFault[] = [];
  for (const build of builds) faults.push(...attemptFaults(build), ...(await rowFaults(build, store)));
  const strays = await strayAttempts(builds, store);
  const unexcused = strays.filter(({ writtenAt }) => !stops.some((at) => at >= writtenAt - CLOCK_MS && at <= writtenAt + RECOVERED_MS));
  return [...faults, ...unexcused.map(({ key }) => orphan(key)), ...(await strayResults(builds, store))];
}

/**
 * How long after an attempt wrote its last file a kill may still keep a process from removing its files. A killed
 * attempt is found when the server starts again, or after its lease. What is left then is for the clean-up of objects
 * that no row names (`standalone/remove-unreferenced.ts`, a rule of the bucket).
 */
const RECOVERED_MS = 120_000;
/** The times of files are less exact than those of stops. */
const CLOCK_MS = 2_000;

const orphan = (key: string): StoredFault => ({ promise: 'no orphans', text: `no row names ${key}` });

/** Holds the attempts to I8: a build that ends its runners is given up. */
function attemptFaults({ hash, attempt }: Build): StoredFault[] {
  if (attempt <= MAX_ATTEMPTS) return [];
  return [{ promise: 'I8', hash, text: `the build began ${attempt} attempts, and ${MAX_ATTEMPTS} are the most` }];
}

async function rowFaults(build: Build, { read }: ReadStore): Promise<StoredFault[]> {
  const { hash, state } = build;
  const published = (await read(`api/v1/build/${hash}`))?.toString();
  if (state !== 'done') {
    if (published === undefined || state === 'expiring') return [];
    return [{ promise: 'I4', hash, text: `the build is ${state}, and a result is published` }];
  }
  const own = (await read(`logs/${build.binDir}/result.json`))?.toString();
  if (own === undefined) return [{ promise: 'I3', hash, text: `the build is done, and ${build.binDir} has no result` }];
  const { faults } = await checkFiles(readFrom(read), JSON.parse(own));
  const wrong = faults.map((text) => ({ promise: 'I3', hash, text: `in the store, ${text}` }));
  return published === undefined || published === own
    ? wrong
    : [...wrong, { promise: 'I4', hash, text: 'the published result is another one' }];
}

const readFrom =
  (read: ReadStore['read']): ReadFile =>
  async (path) => {
    const content = await read(path.slice(1));
    return content === undefined ? { status: 404, content: Buffer.alloc(0) } : { status: 200, content };
  };

/** The name of an attempt. Other names are not of builds. */
const ATTEMPT = /^[0-9a-f]{64}$/;

/** Returns the attempts in the store that no row names. */
export async function strayAttempts(builds: readonly Build[], { names }: ReadStore): Promise<{ key: string; writtenAt: number }[]> {
  const known = new Set<string>(builds.flatMap(attemptsOf));
  const found = await Promise.all(
    ['store', 'logs'].map(async (folder) =>
      [...(await names(folder))].map(([name, writtenAt]) => ({ name, key: `${folder}/${name}`, writtenAt })),
    ),
  );
  return found.flat().filter(({ name }) => ATTEMPT.test(name) && !known.has(name));
}

/** Returns the published results of which there is no row. */
async function strayResults(builds: readonly Build[], { names }: ReadStore): Promise<StoredFault[]> {
  const known = new Set<string>(builds.map(({ hash }) => hash));
  const found = await names('api/v1/build');
  return [...found.keys()].filter((name) => !known.has(name)).map((name) => orphan(`api/v1/build/${name}`));
}

const attemptsOf = (build: Build): readonly string[] => [
  ...(build.previousBinDirs ?? []),
  ...('binDir' in build && build.binDir !== undefined ? [build.binDir] : []),
];
