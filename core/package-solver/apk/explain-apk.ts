import { distinctProblems } from '../distinct-problems.ts';
import { type Relation, textOf } from '../index/index-package.ts';
import type { SolverGraph } from '../index/solver-graph.ts';
import type { SolverProblem } from '../solver-problem.ts';
import { fitsVersion } from './fits-version.ts';
import type { ApkOutcome } from './run-apk.ts';

/** Returns why apk does not install the world, one entry per cause, in the order in which apk would report them. */
export function explainApk(graph: SolverGraph, world: readonly Relation[], outcome: ApkOutcome): SolverProblem[] {
  const nameOf = (one: number): string => graph.package(one).name;
  const needs = neededBy(graph, world, outcome);
  const problems: SolverProblem[] = [];
  const seen = new Set<string>();
  const clashing = new Map(outcome.unfit.map((one) => [one, rivalOf(graph, outcome, one)]));

  const lookAtName = (name: string, chain: readonly string[]): void => {
    if (!outcome.unfilled.includes(name)) return;
    const all = graph.providersOf(graph.numberOf(name));
    const offered = [...new Set(all.map((provider) => nameOf(provider.package)))];
    problems.push(
      offered.length === 0 ? { code: 'missing', package: name, chain } : { code: 'virtual', package: name, chain, providers: offered },
    );
  };
  const lookAtPackage = (one: number): void => {
    for (const { by, chain, dependency } of needs.get(one) ?? []) {
      const chosen = outcome.chosen(dependency.name);
      if (chosen === undefined || (dependency.isConflict && one === by) || fitsVersion(dependency, chosen.version)) continue;
      const name = nameOf(one);
      if (!dependency.isConflict) problems.push({ code: 'version', package: name, chain, needed: textOf(dependency) });
      else problems.push({ code: 'conflict', package: name, chain, other: by === undefined ? '' : nameOf(by) });
    }
    const rival = clashing.get(one);
    if (rival !== undefined)
      problems.push({ code: 'conflict', package: nameOf(one), chain: needs.get(one)?.[0]?.chain ?? [], other: nameOf(rival) });
  };
  /** Looks at names in the order in which packages need them, each package before what it needs itself. */
  const waiting = world.map((dependency) => ({ dependency, chain: [] as readonly string[] })).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { dependency, chain } = next;
    if (dependency.isConflict || seen.has(dependency.name)) continue;
    seen.add(dependency.name);
    const one = outcome.chosen(dependency.name)?.package;
    if (one === undefined) {
      lookAtName(dependency.name, chain);
      continue;
    }
    const name = nameOf(one);
    if (name !== dependency.name && seen.has(name)) continue;
    seen.add(name);
    lookAtPackage(one);
    const further = [...chain, name];
    waiting.push(
      ...graph
        .package(one)
        .needs.map((other) => ({ dependency: other, chain: further }))
        .reverse(),
    );
  }
  for (const name of outcome.unfilled) if (!seen.has(name)) lookAtName(name, []);
  return distinctProblems(problems);
}

interface Need {
  /** The package; `undefined` for the request itself. */
  readonly by: number | undefined;
  readonly chain: readonly string[];
  readonly dependency: Relation;
}

/** Returns what asks for each chosen package, with the shortest way that leads there: first the world, then packages. */
function neededBy(graph: SolverGraph, world: readonly Relation[], outcome: ApkOutcome): Map<number, Need[]> {
  const all: Need[] = world.map((dependency) => ({ by: undefined, chain: [], dependency }));
  const needs = new Map<number, Need[]>();
  for (const need of all) {
    const chosen = outcome.chosen(need.dependency.name)?.package;
    if (chosen === undefined) continue;
    const known = needs.get(chosen);
    if (known === undefined) needs.set(chosen, [need]);
    else known.push(need);
    if (known !== undefined || need.dependency.isConflict) continue;
    const chain = [...need.chain, graph.package(chosen).name];
    for (const dependency of graph.package(chosen).needs) all.push({ by: chosen, chain, dependency });
  }
  return needs;
}

/** Returns a chosen package that claims a name for itself which the given one claims, too. */
function rivalOf(graph: SolverGraph, outcome: ApkOutcome, one: number): number | undefined {
  const own = graph.package(one);
  const owned = [own.name, ...own.provides.filter(({ version }) => version !== '').map(({ name }) => name)];
  for (const name of owned) {
    const chosen = outcome.chosen(name)?.package;
    if (chosen !== undefined && chosen !== one) return chosen;
    const rival = graph.providersOf(graph.numberOf(name)).find((other) => other.package !== one && outcome.unfit.includes(other.package));
    if (rival !== undefined) return rival.package;
  }
  return undefined;
}
