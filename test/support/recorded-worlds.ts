import { readFileSync } from 'node:fs';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { readApkPackages } from '#core/package-solver/apk/read-apk-packages.ts';
import type { IndexPackage } from '#core/package-solver/index/index-package.ts';
import type { SolverGraph } from '#core/package-solver/index/solver-graph.ts';
import { readOpkgPackages } from '#core/package-solver/opkg/read-opkg-packages.ts';
import type { PackageQuestion } from '#core/package-solver/solve-packages.ts';
import { finished } from '#lib/sliced.ts';

/** What a real package manager said of a request. */
export interface RecordedPair {
  readonly id: string;
  readonly profile: string;
  /** The packages of the request, and the words that the server makes of them. */
  readonly packages: readonly string[];
  readonly diff_packages: boolean;
  readonly user: readonly string[];
  readonly ok: boolean;
  readonly installed?: readonly string[];
  readonly errors?: readonly string[];
  readonly abi_names?: readonly string[];
}

/** Package indexes, and what their package manager said of requests. */
export interface RecordedWorld {
  readonly world: string;
  readonly manager: PackageQuestion['manager'];
  readonly arch: string;
  readonly indexes: readonly string[];
  readonly default_packages: readonly string[];
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  readonly pairs: readonly RecordedPair[];
}

const FIXTURES = new URL('../../core/package-solver/fixtures/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, FIXTURES));
const kernels: Record<string, NonNullable<PackageQuestion['kernel']>> = JSON.parse(read('kernels.json').toString());

/** Returns the value of a packed JSON file of the recordings. */
export const recorded = <T>(name: string): T => JSON.parse(gunzipSync(read(`${name}.json.gz`)).toString());

/** Returns an index file as upstream serves it. */
export const fixtureOf = (index: string): Buffer => read(index);

/** Returns the kernel of a world. */
export const kernelOf = ({ world }: RecordedWorld): NonNullable<PackageQuestion['kernel']> =>
  kernels[world] ?? { version: '', vermagic: '', release: '' };

/** Returns the unpacked index files of a world. The first four bytes of `packages.adb` say how it is packed. */
export const indexFilesOf = ({ manager, indexes }: RecordedWorld): Buffer[] =>
  indexes.map((path) => (manager === 'opkg' ? gunzipSync(read(path)) : inflateRawSync(read(path).subarray(4))));

/** Returns the packages of an index file of a world. */
export const packagesOf = ({ manager }: RecordedWorld, file: Buffer): IndexPackage[] =>
  finished(manager === 'opkg' ? readOpkgPackages(file) : readApkPackages(file));

/** Returns the question of a pair, with other words if they are given. */
export const questionOf = (
  world: RecordedWorld,
  graph: SolverGraph,
  { profile, user }: RecordedPair,
  packages = user,
): PackageQuestion => ({
  manager: world.manager,
  graph,
  arch: world.arch,
  kernel: kernelOf(world),
  addsAbi: world.manager === 'apk',
  packages,
  defaultPackages: world.default_packages,
  devicePackages: world.profiles[profile] ?? [],
});
