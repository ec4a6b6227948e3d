import { join } from 'node:path';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { type InstalledPackage, PackageDatabaseError, parseApkInstalled, parseOpkgStatus } from '#core/imagebuilder/manifest.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { TooManyEntriesError } from '#runner/files/read-entries.ts';
import type { CommandResult } from '../process/run-command.ts';

const DATABASE = { opkg: 'usr/lib/opkg/status', apk: 'lib/apk/db/installed' } as const;

/** The limit on the database. apk's has a line for each file of the image: a few megabytes at most. */
const MAX_DATABASE_BYTES = 8 * 1024 * 1024;

/**
 * Returns the packages in the root file system of a finished `make image`, from its package database
 * (`build_dir/target-…/root-<board>`). Returns none when the database cannot be read, and throws `BuildFailure` for one
 * that only a package script can have written.
 */
export async function installedPackages(tree: string, packageManager: 'opkg' | 'apk'): Promise<InstalledPackage[]> {
  const parse = packageManager === 'apk' ? parseApkInstalled : parseOpkgStatus;
  for (const root of await roots(tree)) {
    const text = await readInside(tree, join(root, DATABASE[packageManager]), MAX_DATABASE_BYTES);
    if (text !== undefined) return bounded(() => parse(text.toString('utf8')));
  }
  return [];
}

/** The limit on the names and versions of all packages, which the result document lists. */
const MAX_MANIFEST_LENGTH = 1024 * 1024;

function bounded(parse: () => InstalledPackage[]): InstalledPackage[] {
  try {
    const installed = parse();
    const length = installed.reduce((sum, { name, version }) => sum + name.length + version.length, 0);
    if (length > MAX_MANIFEST_LENGTH) throw new PackageDatabaseError(`names and versions of more than ${MAX_MANIFEST_LENGTH} characters`);
    return installed;
  } catch (error) {
    if (!(error instanceof PackageDatabaseError)) throw error;
    throw new BuildFailure(`The package database of the image cannot be one: it has ${error.message}`, {}, { cause: error });
  }
}

/**
 * The space on disk of the root file system's files, in KiB, and their number; what could not be measured is absent.
 */
export interface RootSize {
  readonly rootKb?: number | undefined;
  readonly rootFiles?: number | undefined;
}

/** The sizes beyond which no root file system is measured: a script may have made anything of it. */
const MAX_MEASURED = 2 ** 31;

/**
 * Measures the root file system of a build with `du`, run by `run` in the build's sandbox. Throws the signal's reason
 * when the signal aborts.
 */
export async function measureRoot(
  tree: string,
  run: (argv: readonly string[]) => Promise<CommandResult>,
  signal: AbortSignal,
): Promise<RootSize> {
  const [root] = await roots(tree);
  if (root === undefined) return {};
  const measured = async (unit: string): Promise<number | undefined> => {
    const text = await run(['du', '-s', unit, root]).then(
      ({ stdout }) => /^\d+/.exec(stdout)?.[0],
      () => signal.throwIfAborted(),
    );
    return text === undefined || Number(text) > MAX_MEASURED ? undefined : Number(text);
  };
  return { rootKb: await measured('-k'), rootFiles: await measured('--inodes') };
}

async function roots(tree: string): Promise<string[]> {
  const targets = await below(tree, 'build_dir', 'target-');
  return (await Promise.all(targets.map((target) => below(tree, target, 'root-')))).flat();
}

/** The limit on directories of one kind. An ImageBuilder has one of each, and a few that it made on the way. */
const MAX_DIRECTORIES = 16;
const MAX_ENTRIES = 10_000;

const below = async (tree: string, directory: string, prefix: string): Promise<string[]> => {
  const entries = await entriesInside(tree, directory, MAX_ENTRIES).catch(noneWhereTooMany);
  const found = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix)).map(({ name }) => join(directory, name));
  return found.slice(0, MAX_DIRECTORIES);
};

function noneWhereTooMany(error: unknown): [] {
  if (error instanceof TooManyEntriesError) return [];
  throw error;
}
