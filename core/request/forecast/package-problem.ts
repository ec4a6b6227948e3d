import type { SolverGraph } from '#core/package-solver/index/solver-graph.ts';
import type { SolverProblem } from '#core/package-solver/solver-problem.ts';
import type { BuildRequest } from '../build-request.ts';
import { ownPackages } from '../image-packages.ts';
import type { ValidRequest } from '../validate-request.ts';
import type { PackageProblem } from './forecast.ts';
import { unknownProblem } from './other-problems.ts';

export interface ProblemContext {
  readonly request: BuildRequest;
  readonly valid: ValidRequest;
  readonly graph: SolverGraph;
  /** Similar names of unknown ones, as `PreparedBuild` has them. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
}

/** The most providers that a text lists. `choices` has them all. */
const MAX_LISTED = 8;

/** Returns a function that says what a solver's problem means for the request, and what a person can do about it. */
export function packageProblem({ request, valid, graph, suggestions }: ProblemContext): (problem: SolverProblem) => PackageProblem {
  const { record } = valid;
  const asked = new Set(request.packages);
  const byDefault = new Set([...record.defaultPackages, ...ownPackages(record, request.profile)]);
  /** Returns the default packages that answer to a name, so that `-name` leaves them out. */
  const defaultsBehind = (name: string): string[] =>
    [...byDefault].filter((one) => !asked.has(one) && (one === name || providesName(graph, name, one)));

  return (problem) => {
    const { code, package: name, chain, needed = problem.package, other = '', providers = [] } = problem;
    const led = chain.length < 2 ? '' : ` (${chain.join(' → ')})`;
    const told = { code, package: name, chain };
    switch (code) {
      case 'missing': {
        if (chain.length === 0) return unknownProblem(name, suggestions[name] ?? []);
        const [first = name] = chain;
        const remedy = asked.has(first) ? { suggestion: `Leave out ${first}: it cannot be installed until upstream has ${needed}.` } : {};
        return { ...told, detail: `${chain.at(-1)} needs ${needed}, which is in no package index of the target${led}`, ...remedy };
      }
      case 'virtual':
        return {
          ...told,
          detail: `${name} is not a package but is provided by ${listed(providers)}${led}`,
          suggestion: `Choose one of ${listed(providers)}.`,
          choices: providers,
        };
      case 'version': {
        const [first = name] = chain;
        const remedy = asked.has(first)
          ? { suggestion: `Leave out ${first}, or ask again later: upstream may be updating its packages.` }
          : {};
        return {
          ...told,
          detail: `${chain.at(-1) ?? 'The image'} needs ${needed}, and the indexes have ${name} in another version only${led}`,
          ...remedy,
        };
      }
      case 'conflict': {
        const leavers = [...new Set([...defaultsBehind(name), ...defaultsBehind(other)])].map((one) => `-${one}`);
        const suggestion =
          leavers.length > 0
            ? `Add ${leavers.join(' or ')} to leave out what is there by default.`
            : `Leave out one of ${name} and ${other}.`;
        return {
          ...told,
          other,
          detail: `${name} and ${other} exclude each other${led}`,
          suggestion,
          ...(leavers.length > 0 && { choices: leavers }),
        };
      }
    }
  };
}

const listed = (names: readonly string[]): string =>
  names.length > MAX_LISTED ? `${names.slice(0, MAX_LISTED).join(', ')} and ${names.length - MAX_LISTED} more` : names.join(', ');

/** Returns whether the word of the default packages stands for the package: opkg's and apk's names may have ABI versions. */
const providesName = (graph: SolverGraph, name: string, word: string): boolean =>
  graph.providersOf(graph.numberOf(word)).some(({ package: one }) => graph.package(one).name === name);
