import { type NumberedRelation, type SolverGraph, TooMuchWorkError } from '../index/solver-graph.ts';
import { compareOpkgVersions } from './compare-opkg-versions.ts';
import { fitsVersion } from './fits-version.ts';
import { opkgNames } from './opkg-names.ts';

/** Why opkg does not install a word of its command. */
export type OpkgProblem =
  /** No package has the name, or none that the device can run. */
  | { readonly kind: 'missing'; readonly word: string }
  /** A package that the word needs depends on something that cannot be had. */
  | { readonly kind: 'dependency'; readonly word: string; readonly lost: readonly LostDependency[] }
  | { readonly kind: 'conflict'; readonly word: string; readonly packages: readonly [number, number] }
  /** The name is only provided, by packages of which another one is installed already. */
  | { readonly kind: 'virtual'; readonly word: string; readonly providers: readonly string[] };

/** A dependency for which there is no package, and the number of the package that has it. */
export interface LostDependency {
  readonly of: number;
  readonly alternatives: readonly NumberedRelation[];
}

/** What is installed, before and after a process of opkg. */
export interface OpkgState {
  /** The number of the installed package by the number of its name. */
  readonly installed: Map<number, number>;
}

/** What a process of opkg did. */
export interface OpkgOutcome {
  readonly problems: readonly OpkgProblem[];
  /** The packages that opkg wanted to install, whether or not it could. */
  readonly wanted: ReadonlySet<number>;
}

const ABSENT = -1;
/** The longest chain of dependencies that is followed. Real ones have some thirty packages. */
const MAX_DEPTH = 300;
/** The work of sorting packages, for each of them, in looks at a package. */
const SORTING = 10;

/**
 * Plays `opkg install` with the words, in a root where `state` says what is installed, and returns the problems; `state`
 * is changed. One process of opkg looks at each package's dependencies once, and keeps what it wanted even when it
 * fails: both decide what later words get.
 */
export function runOpkg(graph: SolverGraph, words: readonly string[], state: OpkgState, priorityOf: (arch: string) => number): OpkgOutcome {
  const { installed } = state;
  const { providersOf, versionsOf } = opkgNames(graph);
  const isWord = new Set(words);
  const priority = (one: number): number => priorityOf(graph.package(one).arch);
  const inThisProcess = new Set<number>();
  const wanted = new Set<number>();
  const looked = { before: new Set<number>(), now: new Set<number>() };
  let lost: LostDependency[] = [];
  let clash: [number, number] | undefined;
  let depth = 0;

  const versionOf = (one: number): string => graph.package(one).version;
  const isInstalled = (one: number): boolean => installed.get(graph.package(one).own) === one;
  /** Whether an earlier process has installed it: opkg counts such packages as wanted. */
  const isBefore = (one: number): boolean => isInstalled(one) && !inThisProcess.has(one);
  const satisfies = (one: number, asked: NumberedRelation): boolean => fitsVersion(asked, versionOf(one));

  /** Returns the package that opkg takes for a name. */
  const choose = (name: number, fits: (one: number) => boolean, isQuiet: boolean): number => {
    const candidates = new Set(providersOf(name).flatMap((provider) => versionsOf(provider)));
    graph.spend(candidates.size);
    const matching = [...candidates].filter((one) => priority(one) > 0 && isResolvable(one));
    if (matching.length === 0) return ABSENT;
    if (matching.length > 1) {
      graph.spend(matching.length * SORTING);
      matching.sort(compare);
    }
    let [best, bestScore] = [ABSENT, 0];
    for (const one of matching) {
      if (!fits(one)) continue;
      const own = graph.package(one).own;
      const score = 1 + (own === name ? 1 : 0) + (isWord.has(graph.nameOf(own)) ? 1 : 0);
      if (score < bestScore) continue;
      [best, bestScore] = [one, score];
    }
    if (best !== ABSENT) return best;
    const last = matching.findLast((one) => installed.has(graph.package(one).own));
    if (last !== undefined) return last;
    if (matching.length === 1) return matching[0] ?? ABSENT;
    if (isQuiet) return ABSENT;
    let first = ABSENT;
    for (const one of matching) if (first === ABSENT || priority(one) > priority(first)) first = one;
    return first;
  };

  const compare = (one: number, other: number): number => {
    const [name, otherName] = [graph.package(one).name, graph.package(other).name];
    if (name !== otherName) return name < otherName ? -1 : 1;
    return compareOpkgVersions(versionOf(one), versionOf(other)) || priority(one) - priority(other);
  };

  const isResolvable = (one: number): boolean => {
    const unresolved = collect(one, [], looked.before);
    if (unresolved.length === 0) return true;
    lost.push(...unresolved);
    return false;
  };

  /**
   * Adds the packages to `found` that a package needs and that are not installed, innermost first, and returns the
   * dependencies for which there is none.
   */
  const collect = (one: number, found: number[], seen: Set<number>): LostDependency[] => {
    const own = graph.package(one).own;
    if (seen.has(own)) return [];
    seen.add(own);
    if (++depth > MAX_DEPTH) throw new TooMuchWorkError('packages depend on each other in a chain that no real index has');
    const unresolved: LostDependency[] = [];
    for (const { alternatives, isGreedy } of graph.package(one).depends) {
      if (isGreedy) {
        for (const asked of alternatives) collectProviders(asked.number, found, seen);
        continue;
      }
      if (alternatives.some((asked) => isThere(asked))) continue;
      const satisfier = firstAvailable(alternatives);
      if (satisfier === ABSENT) unresolved.push({ of: one, alternatives });
      else if (satisfier !== one && !found.includes(satisfier)) {
        unresolved.push(...collect(satisfier, found, seen));
        found.push(satisfier);
        graph.spend(found.length >> 5);
      }
    }
    depth--;
    return unresolved;
  };

  /** Adds all providers of a name to `found` that need nothing but what is wanted already. */
  const collectProviders = (name: number, found: number[], seen: Set<number>): void => {
    for (const provider of providersOf(name))
      for (const one of versionsOf(provider)) {
        if (wanted.has(one) || isBefore(one) || seen.has(provider) || found.includes(one)) continue;
        const needed: number[] = [];
        const unresolved = collect(one, needed, seen);
        if (unresolved.length === 0 && needed.every((other) => wanted.has(other))) found.push(one);
      }
  };

  const isThere = (asked: NumberedRelation): boolean => {
    const fits = (one: number) => isInstalled(one) && satisfies(one, asked);
    const one = choose(asked.number, fits, true);
    return one !== ABSENT && fits(one);
  };

  const firstAvailable = (alternatives: readonly NumberedRelation[]): number => {
    for (const asked of alternatives) {
      const one = choose(asked.number, (candidate) => satisfies(candidate, asked), true);
      if (one !== ABSENT && satisfies(one, asked)) return one;
    }
    return ABSENT;
  };

  /** Installs what a package needs. Returns false if that fails. */
  const satisfy = (one: number): boolean => {
    const found: number[] = [];
    const unresolved = collect(one, found, looked.now);
    if (unresolved.length > 0) {
      lost.push(...unresolved);
      return false;
    }
    for (const dependency of found) wanted.add(dependency);
    return found.every((dependency) => isInstalled(dependency) || install(dependency));
  };

  const install = (one: number): boolean => {
    const own = graph.package(one).own;
    // Packages of this process are unpacked and not yet configured, which opkg tells apart here only.
    if (isBefore(one)) return satisfy(one);
    const old = installed.get(own);
    if (old !== undefined && compareOpkgVersions(versionOf(old), versionOf(one)) >= 0) return false;
    wanted.add(one);
    if (old !== undefined) wanted.delete(old);
    if (hasConflict(one)) return false;
    if (!satisfy(one)) return false;
    if (isInstalled(one)) return true;
    installed.set(own, one);
    inThisProcess.add(one);
    return true;
  };

  const hasConflict = (one: number): boolean => {
    for (const asked of graph.package(one).conflicts)
      for (const other of versionsOf(asked.number)) {
        if (!wanted.has(other) && !isBefore(other)) continue;
        if (!satisfies(other, asked)) continue;
        clash ??= [one, other];
        return true;
      }
    return false;
  };

  const installWord = (word: string): boolean => {
    const name = graph.numberOf(word);
    const real = versionsOf(name).length > 0 ? name : (providersOf(name)[0] ?? ABSENT);
    const old = installed.get(real);
    const one = choose(name, (candidate) => graph.package(candidate).own === name, false);
    if (one === ABSENT) return false;
    if (old !== undefined && compareOpkgVersions(versionOf(old), versionOf(one)) >= 0) return true;
    return install(one);
  };

  const problems: OpkgProblem[] = [];
  for (const word of words) {
    lost = [];
    clash = undefined;
    if (!installWord(word)) problems.push(problemOf(word));
  }
  return { problems, wanted };

  function problemOf(word: string): OpkgProblem {
    if (clash !== undefined) return { kind: 'conflict', word, packages: clash };
    if (lost.length > 0) return { kind: 'dependency', word, lost };
    const name = graph.numberOf(word);
    const offered = providersOf(name);
    if (offered.length > 0 && versionsOf(name).length === 0) return { kind: 'virtual', word, providers: offered.map(graph.nameOf) };
    return { kind: 'missing', word };
  }
}
