import { readFileSync } from 'node:fs';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import { apkWorld, withAbi } from './apk/apk-world.ts';
import { compareApkVersions, isApkVersion } from './apk/compare-apk-versions.ts';
import { readApkPackages } from './apk/read-apk-packages.ts';
import { runApk } from './apk/run-apk.ts';
import { commandWords } from './command-words.ts';
import { EQUAL, type IndexPackage, LESS } from './index/index-package.ts';
import { packageTable } from './index/package-table.ts';
import { type SolverGraph, solverGraph } from './index/solver-graph.ts';
import { compareOpkgVersions } from './opkg/compare-opkg-versions.ts';
import { readOpkgPackage } from './opkg/read-opkg-package.ts';
import { runOpkg } from './opkg/run-opkg.ts';

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

/** The answer of a package manager in the form in which both are compared: what it installs, or that it fails. */
const verdict = (installed: readonly string[] | undefined) => (installed === undefined ? 'impossible' : [...installed].sort());

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

describe.each(['opkg-am', 'opkg-mutated'])('opkg in the world %s', (name) => {
  const world = worldOf(name);
  const graph = graphOf(world.indexes.map((path) => packagesOf(unpacked(path))));
  const priority = (arch: string) => (arch === 'all' ? 100 : arch === world.arch ? 200 : 0);

  it('installs what the real one installs, and refuses what it refuses', () => {
    let unsure = 0;
    const answers = world.pairs.map((pair) => {
      const state = { installed: new Map<number, number>() };
      for (const first of ['libc', 'kernel']) runOpkg(graph, [first], state, priority);
      const { problems } = runOpkg(graph, wordsOf(world, pair), state, priority);
      const installed = [...state.installed.values()].map((one) => graph.package(one));
      if (installed.some((one) => one.isBeyond)) {
        unsure++;
        return [pair.id, verdict(pair.installed)];
      }
      return [pair.id, verdict(problems.length > 0 ? undefined : installed.map((one) => one.name))];
    });
    expect(answers).toEqual(world.pairs.map((pair) => [pair.id, verdict(pair.installed)]));
    expect(unsure).toBe(0);
  });
});

describe.each(['apk-cunliu', 'apk-25.12-x86', 'apk-25.12-ath79', 'apk-25.12-filogic', 'apk-mutated'])('apk in the world %s', (name) => {
  const world = worldOf(name);
  const graph = graphOf(
    world.indexes.map((path) => finished(readApkPackages(inflateRawSync(readFileSync(new URL(path, FIXTURES)).subarray(4))))),
  );
  const versionOf = (wanted: string) => graph.providersOf(graph.numberOf(wanted)).at(-1)?.version ?? '';
  const { version, vermagic, release } = kernels[world.world] ?? { version: '', vermagic: '', release: '' };
  const pins = [
    { name: 'base-files', version: versionOf('base-files') },
    { name: 'libc', version: versionOf('libc') },
    { name: 'kernel', version: `${version}~${vermagic}-r${release}` },
  ];
  const canRun = (arch: string) => arch === world.arch || arch === 'noarch';
  const solve = (words: readonly string[]) => runApk(graph, apkWorld(graph, words, pins, true), canRun);

  it('installs what the real one installs, and refuses what it refuses', () => {
    const answers = world.pairs.map((pair) => {
      const { installed, hasFailed } = solve(wordsOf(world, pair));
      return [pair.id, verdict(hasFailed ? undefined : installed.map((one) => graph.package(one).name))];
    });
    expect(answers).toEqual(world.pairs.map((pair) => [pair.id, verdict(pair.installed)]));
  });

  it('writes ABI suffixes behind the words as ImageBuilder does', () => {
    for (const pair of world.pairs) {
      const words = wordsOf(world, pair);
      const rewritten = words.flatMap((word) => withAbi(graph, word)).filter((word) => !words.includes(word));
      expect(pair.abi_names?.filter((word) => !pins.some((pin) => pin.name === word)).sort()).toEqual([...new Set(rewritten)].sort());
    }
  });

  it('answers the same whatever the order of the words', () => {
    for (const pair of world.pairs.slice(0, 10)) {
      const words = wordsOf(world, pair);
      expect(solve(words.toReversed()).installed).toEqual(solve(words).installed);
    }
  });
});

const graphOf = (indexes: readonly (readonly IndexPackage[])[]): SolverGraph =>
  solverGraph(indexes.map((packages) => finished(packageTable('index', packages))));

/** The paragraphs of `Packages`. */
function packagesOf(text: string): IndexPackage[] {
  return text
    .split(/\n\n+/)
    .map(
      (paragraph) =>
        new Map(paragraph.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])),
    )
    .flatMap((fields) => readOpkgPackage(fields) ?? []);
}
