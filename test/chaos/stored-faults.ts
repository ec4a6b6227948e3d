import type { Build } from '#core/build/build.ts';
import { checkFiles, type ReadFile } from './check-files.ts';
import type { StoredFault } from './system.ts';

/** The store of results and files, read without the server. */
export interface ReadStore {
  read(key: string): Promise<Buffer | undefined>;
  /** Returns the names directly below a folder. */
  names(folder: string): Promise<readonly string[]>;
}

/** Returns where the store is not what the rows say: missing or changed files, and files that no row names. */
export async function storedFaults(builds: readonly Build[], store: ReadStore): Promise<StoredFault[]> {
  const faults: StoredFault[] = [];
  for (const build of builds) faults.push(...(await rowFaults(build, store)));
  return [...faults, ...(await strayFaults(builds, store))];
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

async function strayFaults(builds: readonly Build[], { names }: ReadStore): Promise<StoredFault[]> {
  const hashes = new Set<string>(builds.map(({ hash }) => hash));
  const attempts = new Set<string>(builds.flatMap(attemptsOf));
  const strays = async (folder: string, known: ReadonlySet<string>) =>
    (await names(folder))
      .filter((name) => !known.has(name))
      .map((name) => ({ promise: 'no orphans', text: `no row names ${folder}/${name}` }));
  return [...(await strays('store', attempts)), ...(await strays('logs', attempts)), ...(await strays('api/v1/build', hashes))];
}

const attemptsOf = (build: Build): readonly string[] => [
  ...(build.previousBinDirs ?? []),
  ...('binDir' in build && build.binDir !== undefined ? [build.binDir] : []),
];
