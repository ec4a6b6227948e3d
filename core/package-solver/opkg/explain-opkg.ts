import { distinctProblems } from '../distinct-problems.ts';
import { textOf } from '../index/index-package.ts';
import type { SolverGraph } from '../index/solver-graph.ts';
import type { SolverProblem } from '../solver-problem.ts';
import { opkgNames } from './opkg-names.ts';
import type { LostDependency, OpkgOutcome, OpkgProblem } from './run-opkg.ts';

/**
 * Returns why opkg does not install the words, in the order in which opkg says so. Of dependencies that cannot be had
 * because of others, only those others are causes.
 */
export function explainOpkg(graph: SolverGraph, { problems }: Pick<OpkgOutcome, 'problems'>): SolverProblem[] {
  return distinctProblems(problems.flatMap((problem) => explainWord(graph, problem)));
}

function explainWord(graph: SolverGraph, problem: OpkgProblem): SolverProblem[] {
  const { word } = problem;
  switch (problem.kind) {
    case 'missing':
      return [{ code: 'missing', package: word, chain: [] }];
    case 'virtual':
      return [{ code: 'virtual', package: word, chain: [], providers: problem.providers }];
    case 'conflict': {
      const [declaring, other] = problem.packages.map((one) => graph.package(one).name);
      return [{ code: 'conflict', package: declaring ?? word, chain: chainTo(graph, word, problem.packages[0]), other: other ?? '' }];
    }
    case 'dependency':
      return problem.lost
        .filter((lost, at) => isCause(graph, lost, problem.lost.slice(0, at)))
        .map((lost) => lostProblem(graph, word, lost));
  }
}

/** Whether nothing that was lost before explains why no alternative can be had. */
function isCause(graph: SolverGraph, { alternatives }: LostDependency, before: readonly LostDependency[]): boolean {
  const unavailable = new Set(before.map(({ of }) => of));
  return !alternatives.some(({ number }) => graph.providersOf(number).some((provider) => unavailable.has(provider.package)));
}

function lostProblem(graph: SolverGraph, word: string, { of, alternatives }: LostDependency): SolverProblem {
  const [wanted] = alternatives;
  const chain = chainTo(graph, word, of);
  const name = wanted?.name ?? word;
  const isListed = wanted !== undefined && graph.providersOf(wanted.number).length > 0;
  const needed = alternatives.map(textOf).join(' | ');
  return { code: isListed ? 'version' : 'missing', package: name, chain, ...(needed !== name && { needed }) };
}

/** Returns the names on the shortest way by dependencies from a word to a package, both included. */
function chainTo(graph: SolverGraph, word: string, target: number): string[] {
  const { providersOf, versionsOf } = opkgNames(graph);
  const candidates = (name: number) => providersOf(name).flatMap((provider) => versionsOf(provider));
  const from = new Map<number, number | undefined>(candidates(graph.numberOf(word)).map((one) => [one, undefined]));
  for (const one of from.keys()) {
    if (one === target) return wayTo(graph, from, one);
    for (const { number } of graph.package(one).needs) for (const next of candidates(number)) if (!from.has(next)) from.set(next, one);
  }
  return [word];
}

function wayTo(graph: SolverGraph, from: ReadonlyMap<number, number | undefined>, target: number): string[] {
  const way: string[] = [];
  for (let one: number | undefined = target; one !== undefined; one = from.get(one)) way.unshift(graph.package(one).name);
  return way;
}
