import { describe, expect, it } from 'vitest';
import { remembered } from '#lib/remembered.ts';
import { finished } from '#lib/sliced.ts';
import { indexFilesOf, packagesOf, questionOf, type RecordedPair, type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { compareApkVersions, isApkVersion } from './apk/compare-apk-versions.ts';
import { commandWords } from './command-words.ts';
import { EQUAL, LESS } from './index/index-package.ts';
import { packageTable } from './index/package-table.ts';
import { type SolverGraph, solverGraph } from './index/solver-graph.ts';
import { compareOpkgVersions } from './opkg/compare-opkg-versions.ts';
import { type PackageAnswer, solvePackages } from './solve-packages.ts';

describe('versions compare as for the real tools', () => {
  const { opkg, apk }: Record<'opkg' | 'apk', [string, string, string][]> = recorded('versions');

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
const truthOf = ({ ok, installed = [] }: RecordedPair) => (ok ? [...installed].sort() : 'no');

const APK_WORLDS = ['apk-cunliu', 'apk-25.12-x86', 'apk-25.12-ath79', 'apk-25.12-filogic', 'apk-mutated'];
const WORLDS = ['opkg-am', 'opkg-mutated', ...APK_WORLDS];

/** Returns a world with the answers of the solver, which are made once. */
const worldNamed = (name: string) => remembered(opened, name, openWorld);
const opened = new Map<string, ReturnType<typeof openWorld>>();

function openWorld(name: string) {
  const world = recorded<RecordedWorld>(name);
  const graph = solverGraph(indexFilesOf(world).map((file) => finished(packageTable('index', packagesOf(world, file)))));
  const ask = (pair: RecordedPair, packages = pair.user): PackageAnswer => solvePackages(questionOf(world, graph, pair, packages));
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
  const { world, graph, ask, asked } = worldNamed(name);

  it('the answer is the same whatever the order of the words', () => {
    for (const { pair, answer } of asked.slice(0, 20)) expect(ask(pair, pair.user.toReversed())).toEqual(answer);
  });

  it('ABI suffixes stand behind the words as ImageBuilder writes them', () => {
    const pinned = ['base-files', 'libc', 'kernel'];
    for (const { pair, answer } of asked) {
      const rewritten = Object.values(answer.rewritten).flat();
      const words = commandWords(questionOf(world, graph, pair));
      expect(pair.abi_names?.filter((word) => !pinned.includes(word)).sort()).toEqual(
        [...new Set(rewritten)].filter((word) => !words.includes(word)).sort(),
      );
    }
  });
});
