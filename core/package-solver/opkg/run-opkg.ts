import { compareOpkgVersions } from './compare-opkg-versions.ts';
import type { NumberedName, OpkgGraph } from './opkg-graph.ts';

/** Why opkg does not install a word of its command. */
export type OpkgProblem =
  /** No package has the name, or none that the device can run. */
  | { readonly kind: 'missing'; readonly word: string }
  /** A package that the word needs depends on something that cannot be had. */
  | { readonly kind: 'dependency'; readonly word: string; readonly dependencies: readonly { readonly of: string; readonly text: string }[] }
  | { readonly kind: 'conflict'; readonly word: string; readonly packages: readonly [string, string] }
  /** The name is only provided, by packages of which another one is installed already. */
  | { readonly kind: 'virtual'; readonly word: string; readonly providers: readonly string[] };

/** What is installed, and what went wrong, after a process of opkg. */
export interface OpkgState {
  /** The number of the installed package by the number of its name. */
  readonly installed: Map<number, number>;
}

const ABSENT = -1;

/**
 * Plays `opkg install` with the words, in a root where `state` says what is installed, and returns the problems; `state`
 * is changed. One process of opkg looks at each package's dependencies once, and keeps what it wanted even when it
 * fails: both decide what later words get.
 */
export function runOpkg(graph: OpkgGraph, words: readonly string[], state: OpkgState, priorityOf: (arch: string) => number): OpkgProblem[] {
  const { packages, nameOf, depends, conflicts, names, numbers, versions, providers } = graph;
  const { installed } = state;
  const isWord = new Set(words);
  const priorities = new Map<string, number>();
  const priority = (one: number): number => {
    const arch = packages[one]?.arch ?? '';
    let found = priorities.get(arch);
    if (found === undefined) {
      found = priorityOf(arch);
      priorities.set(arch, found);
    }
    return found;
  };
  const inThisProcess = new Set<number>();
  const wanted = new Set<number>();
  const looked = { before: new Set<number>(), now: new Set<number>() };
  let lost: { of: string; text: string }[] = [];
  let clash: [string, string] | undefined;

  const versionOf = (one: number): string => packages[one]?.version ?? '';
  const isInstalled = (one: number): boolean => installed.get(nameOf[one] ?? ABSENT) === one;
  /** Whether an earlier process has installed it: opkg counts such packages as wanted. */
  const isBefore = (one: number): boolean => isInstalled(one) && !inThisProcess.has(one);
  const satisfies = (one: number, { operator, version }: NumberedName): boolean => {
    if (operator === undefined || version === undefined) return true;
    const order = compareOpkgVersions(versionOf(one), version);
    if (order === 0) return true;
    return order < 0 ? operator === '<<' || operator === '<=' : operator === '>>' || operator === '>=';
  };

  /** Returns the package that opkg takes for a name. */
  const choose = (name: number, fits: (one: number) => boolean, isQuiet: boolean): number => {
    const matching: number[] = [];
    for (const provider of providers[name] ?? [])
      for (const one of versions[provider] ?? []) {
        if (priority(one) === 0 || matching.includes(one)) continue;
        if (isResolvable(one)) matching.push(one);
      }
    if (matching.length === 0) return ABSENT;
    if (matching.length > 1) matching.sort(compare);
    let [best, bestScore] = [ABSENT, 0];
    for (const one of matching) {
      if (!fits(one)) continue;
      const own = nameOf[one] ?? ABSENT;
      const score = 1 + (own === name ? 1 : 0) + (isWord.has(names[own] ?? '') ? 1 : 0);
      if (score < bestScore) continue;
      [best, bestScore] = [one, score];
    }
    if (best !== ABSENT) return best;
    const last = matching.findLast((one) => installed.has(nameOf[one] ?? ABSENT));
    if (last !== undefined) return last;
    if (matching.length === 1) return matching[0] ?? ABSENT;
    if (isQuiet) return ABSENT;
    let first = ABSENT;
    for (const one of matching) if (first === ABSENT || priority(one) > priority(first)) first = one;
    return first;
  };

  const compare = (one: number, other: number): number => {
    const [name, otherName] = [packages[one]?.name ?? '', packages[other]?.name ?? ''];
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
  const collect = (one: number, found: number[], seen: Set<number>): { of: string; text: string }[] => {
    const own = nameOf[one] ?? ABSENT;
    if (seen.has(own)) return [];
    seen.add(own);
    const unresolved: { of: string; text: string }[] = [];
    for (const { alternatives, text, isGreedy } of depends[one] ?? []) {
      if (isGreedy) {
        for (const asked of alternatives) collectProviders(asked.name, found, seen);
        continue;
      }
      if (alternatives.some((asked) => isThere(asked))) continue;
      const satisfier = firstAvailable(alternatives);
      if (satisfier === ABSENT) unresolved.push({ of: packages[one]?.name ?? '', text });
      else if (satisfier !== one && !found.includes(satisfier)) {
        unresolved.push(...collect(satisfier, found, seen));
        found.push(satisfier);
      }
    }
    return unresolved;
  };

  /** Adds all providers of a name to `found` that need nothing but what is wanted already. */
  const collectProviders = (name: number, found: number[], seen: Set<number>): void => {
    for (const provider of providers[name] ?? [])
      for (const one of versions[provider] ?? []) {
        if (wanted.has(one) || isBefore(one) || seen.has(provider) || found.includes(one)) continue;
        const needed: number[] = [];
        const unresolved = collect(one, needed, seen);
        if (unresolved.length === 0 && needed.every((other) => wanted.has(other))) found.push(one);
      }
  };

  const isThere = (asked: NumberedName): boolean => {
    const fits = (one: number) => isInstalled(one) && satisfies(one, asked);
    const one = choose(asked.name, fits, true);
    return one !== ABSENT && fits(one);
  };

  const firstAvailable = (alternatives: readonly NumberedName[]): number => {
    for (const asked of alternatives) {
      const one = choose(asked.name, (candidate) => satisfies(candidate, asked), true);
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
    const own = nameOf[one] ?? ABSENT;
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
    for (const asked of conflicts[one] ?? [])
      for (const other of versions[asked.name] ?? []) {
        if (!wanted.has(other) && !isBefore(other)) continue;
        if (!satisfies(other, asked)) continue;
        clash ??= [packages[one]?.name ?? '', packages[other]?.name ?? ''];
        return true;
      }
    return false;
  };

  const installWord = (word: string): boolean => {
    const name = numbers.get(word);
    if (name === undefined) return false;
    const real = versions[name]?.length ? name : (providers[name]?.[0] ?? ABSENT);
    const old = installed.get(real);
    const one = choose(name, (candidate) => nameOf[candidate] === name, false);
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
  return problems;

  function problemOf(word: string): OpkgProblem {
    if (clash !== undefined) return { kind: 'conflict', word, packages: clash };
    if (lost.length > 0) return { kind: 'dependency', word, dependencies: lost };
    const name = numbers.get(word);
    const offered = name === undefined ? [] : (providers[name] ?? []);
    if (name !== undefined && offered.length > 0 && (versions[name]?.length ?? 0) === 0)
      return { kind: 'virtual', word, providers: offered.map((provider) => names[provider] ?? '') };
    return { kind: 'missing', word };
  }
}
