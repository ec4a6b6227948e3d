import { readFileSync } from 'node:fs';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { remembered } from '#lib/remembered.ts';
import { finished } from '#lib/sliced.ts';
import { compareApkVersions, isApkVersion } from './apk/compare-apk-versions.ts';
import { readApkPackages } from './apk/read-apk-packages.ts';
import { commandWords } from './command-words.ts';
import { EQUAL, type IndexPackage, LESS } from './index/index-package.ts';
import { packageTable } from './index/package-table.ts';
import { type SolverGraph, solverGraph } from './index/solver-graph.ts';
import { compareOpkgVersions } from './opkg/compare-opkg-versions.ts';
import { readOpkgPackages } from './opkg/read-opkg-packages.ts';
import { type PackageAnswer, solvePackages } from './solve-packages.ts';

/** What a real package manager said of a request. */
interface Pair {
  readonly id: string;
  readonly profile: string;
  readonly user: readonly string[];
  readonly ok: boolean;
  readonly installed?: readonly string[];
  readonly errors?: readonly string[];
  readonly abi_names?: readonly string[];
}

interface World {
  readonly world: string;
  readonly arch: string;
  readonly indexes: readonly string[];
  readonly default_packages: readonly string[];
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  readonly pairs: readonly Pair[];
}

const FIXTURES = new URL('fixtures/', import.meta.url);
const unpacked = (path: string) => gunzipSync(readFileSync(new URL(path, FIXTURES))).toString();
const worldOf = (name: string): World => JSON.parse(unpacked(`${name}.json.gz`));
const kernels: Record<string, { version: string; vermagic: string; release: string }> = JSON.parse(
  readFileSync(new URL('kernels.json', FIXTURES), 'utf8'),
);

const wordsOf = ({ default_packages, profiles }: World, { user, profile }: Pair) =>
  commandWords({ packages: user, defaultPackages: default_packages, devicePackages: profiles[profile] ?? [] });

describe('versions compare as for the real tools', () => {
  const { opkg, apk }: Record<'opkg' | 'apk', [string, string, string][]> = JSON.parse(unpacked('versions.json.gz'));

  it('opkg', () => {
    const sign = (order: number) => (order === 0 ? '=' : order < 0 ? '<' : '>');
    expect(opkg.map(([one, , two]) => [one, sign(compareOpkgVersions(one, two)), two])).toEqual(opkg);
    expect(opkg.map(([one, , two]) => [one, sign(-compareOpkgVersions(two, one)), two])).toEqual(opkg);
  });

  it('apk', () => {
    const sign = (one: string, two: string) => {
      if (!isApkVersion(one) || !isApkVersion(two)) return 'invalid';
      const order = compareApkVersions(one, two);
      return order === EQUAL ? '=' : order === LESS ? '<' : '>';
    };
    expect(apk.map(([one, , two]) => [one, sign(one, two), two])).toEqual(apk);
  });
});

/**
 * What is compared of an answer: what is installed, or that it is impossible. The solver is unsure where packages declare
 * a conflict that opkg does not notice, and says all the same what opkg installs.
 */
const answerOf = ({ verdict, installed, declaredConflicts }: PackageAnswer) =>
  verdict === 'yes' || declaredConflicts.length > 0 ? installed.map(({ name }) => name) : verdict;
const truthOf = ({ ok, installed = [] }: Pair) => (ok ? [...installed].sort() : 'no');

const APK_WORLDS = ['apk-cunliu', 'apk-25.12-x86', 'apk-25.12-ath79', 'apk-25.12-filogic', 'apk-mutated'];
const WORLDS = ['opkg-am', 'opkg-mutated', ...APK_WORLDS];

/** Returns a world with the answers of the solver, which are made once. */
const worldNamed = (name: string) => remembered(opened, name, openWorld);
const opened = new Map<string, ReturnType<typeof openWorld>>();

function openWorld(name: string) {
  const world = worldOf(name);
  const manager = name.startsWith('opkg') ? 'opkg' : 'apk';
  const graph = graphOf(world.indexes.map((path) => (manager === 'opkg' ? opkgPackagesOf(path) : apkPackagesOf(path))));
  const kernel = kernels[world.world] ?? { version: '', vermagic: '', release: '' };
  const ask = (pair: Pair, packages = pair.user): PackageAnswer =>
    solvePackages({
      manager,
      graph,
      arch: world.arch,
      kernel,
      addsAbi: manager === 'apk',
      packages,
      defaultPackages: world.default_packages,
      devicePackages: world.profiles[pair.profile] ?? [],
    });
  return { world, graph, ask, asked: world.pairs.map((pair) => ({ pair, answer: ask(pair) })) };
}

/** Whether a package of the one name needs something that a package of the other name provides. */
function needs(graph: SolverGraph, name: string, other: string): boolean {
  const [needed, own] = [graph.numberOf(other), graph.numberOf(name)];
  const answers = graph
    .providersOf(needed)
    .flatMap((provider) => [needed, ...graph.package(provider.package).provides.map(({ number }) => number)]);
  return graph
    .providersOf(own)
    .flatMap((provider) => graph.package(provider.package).needs)
    .some(({ number }) => answers.includes(number));
}

describe.each(WORLDS)('in the world %s', (name) => {
  const { graph, ask, asked } = worldNamed(name);

  it('the image has what the real tool installs, and what the real tool refuses is impossible', () => {
    expect(asked.map(({ pair, answer }) => [pair.id, answerOf(answer)])).toEqual(asked.map(({ pair }) => [pair.id, truthOf(pair)]));
  });

  it('every impossible request has problems, each with a chain of packages of which each needs the next', () => {
    for (const { pair, answer } of asked.filter(({ answer: { verdict } }) => verdict === 'no')) {
      expect(answer.problems, pair.id).not.toEqual([]);
      for (const { chain } of answer.problems)
        expect([pair.id, chain, chain.slice(1).map((next, at) => needs(graph, chain[at] ?? '', next))]).toEqual([
          pair.id,
          chain,
          chain.slice(1).map(() => true),
        ]);
    }
  });

  it('the first problem names a package that the text of the real tool names', () => {
    const impossible = asked.filter(({ pair }) => !pair.ok);
    const unnamed = impossible.filter(({ pair, answer }) => {
      const text = pair.errors?.join('\n') ?? '';
      const [first] = answer.problems;
      return first === undefined || ![first.package, first.other ?? first.package].some((about) => text.includes(about));
    });
    expect(unnamed.length, unnamed.map(({ pair }) => pair.id).join(' ')).toBeLessThanOrEqual(impossible.length * 0.05);
  });

  it('the answer is the same when the same question comes again', () => {
    for (const { pair, answer } of asked.slice(0, 20)) expect(ask(pair)).toEqual(answer);
  });
});

describe.each(APK_WORLDS)('in the world %s', (name) => {
  const { world, ask, asked } = worldNamed(name);

  it('the answer is the same whatever the order of the words', () => {
    for (const { pair, answer } of asked.slice(0, 20)) expect(ask(pair, pair.user.toReversed())).toEqual(answer);
  });

  it('ABI suffixes stand behind the words as ImageBuilder writes them', () => {
    const pinned = ['base-files', 'libc', 'kernel'];
    for (const { pair, answer } of asked) {
      const rewritten = Object.values(answer.rewritten).flat();
      const words = wordsOf(world, pair);
      expect(pair.abi_names?.filter((word) => !pinned.includes(word)).sort()).toEqual(
        [...new Set(rewritten)].filter((word) => !words.includes(word)).sort(),
      );
    }
  });
});

const graphOf = (indexes: readonly (readonly IndexPackage[])[]): SolverGraph =>
  solverGraph(indexes.map((packages) => finished(packageTable('index', packages))));

/** Returns the packages of `packages.adb`, without its first four bytes, which say how it is packed. */
const apkPackagesOf = (path: string): IndexPackage[] =>
  finished(readApkPackages(inflateRawSync(readFileSync(new URL(path, FIXTURES)).subarray(4))));

const opkgPackagesOf = (path: string): IndexPackage[] => finished(readOpkgPackages(gunzipSync(readFileSync(new URL(path, FIXTURES)))));
