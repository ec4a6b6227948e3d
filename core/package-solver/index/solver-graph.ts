import { remembered } from '#lib/remembered.ts';
import type { Dependency, Relation } from './index-package.ts';
import { type Grouped, groupOf, identityAt, type PackageTable, packageAt, packageCount } from './package-table.ts';

/** A relation with the number of its name. */
export type NumberedRelation = Relation & { readonly number: number };

/** A package that answers to a name, and in which version; the version is empty where it has none. */
export interface Provider {
  readonly package: number;
  readonly version: string;
}

/** A package as solvers see it: names have numbers. */
export interface SolverPackage {
  readonly name: string;
  /** The number of the package's own name. */
  readonly own: number;
  readonly version: string;
  readonly arch: string;
  readonly depends: readonly (Pick<Dependency, 'isGreedy'> & { readonly alternatives: readonly NumberedRelation[] })[];
  /** All relations of the dependencies in one list, for apk, which has no alternatives. */
  readonly needs: readonly NumberedRelation[];
  readonly conflicts: readonly NumberedRelation[];
  readonly provides: readonly { readonly number: number; readonly name: string; readonly version: string }[];
  readonly installIf: readonly NumberedRelation[];
  readonly priority: number;
  readonly tags: readonly string[];
  readonly isBeyond: boolean;
  readonly downloadSize: number;
  readonly installedSize: number;
  /** The place of its index in the order of the package manager's configuration. */
  readonly repository: number;
}

/**
 * The packages of several indexes as a package manager sees them once it has read all: packages and names have numbers.
 * It reads from the tables only what is asked for, so that a solver that looks at some hundred of eleven thousand
 * packages costs no more than that.
 */
export interface SolverGraph {
  numberOf(name: string): number;
  nameOf(number: number): string;
  package(number: number): SolverPackage;
  /** Returns the packages that answer to a name, in order of appearance. */
  providersOf(name: number): readonly Provider[];
  /**
   * Returns the names with packages that have this one among the conditions under which they are installed, without saying
   * a name twice.
   */
  conditionedOf(name: number): readonly number[];
  /**
   * Allows solvers this much further work, counted in packages and names looked at. Without it they may do what they
   * want.
   */
  limitWork(steps: number): void;
  /** Counts work. It throws a `TooMuchWorkError` when the limit is reached. */
  spend(steps: number): void;
}

/** The indexes are made such that solving takes too long. No real ones are. */
export class TooMuchWorkError extends Error {
  override readonly name = 'TooMuchWorkError';
}

/** The work of reading a package for the first time, and each of its relations, in looks at a package. */
const READING = 100;
const RELATION_READING = 8;

/** Returns the graph of several indexes, which are in the order of the package manager's configuration. */
export function solverGraph(tables: readonly PackageTable[]): SolverGraph {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const firsts: number[] = [];
  let total = 0;
  for (const table of tables) {
    firsts.push(total);
    total += packageCount(table);
  }
  const packages = new Map<number, SolverPackage>();
  const providers = new Map<number, Provider[]>();
  const conditioned = new Map<number, number[]>();
  let left = Number.POSITIVE_INFINITY;

  const numberOf = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    return names.push(name) - 1;
  };
  const nameOf = (number: number): string => names[number] ?? '';
  const spend = (steps: number): void => {
    left -= steps;
    if (left < 0) throw new TooMuchWorkError('it takes too long to find what would be installed');
  };
  /** Counts the looks at all of what a caller gets. */
  const counted = <T>(found: readonly T[]): readonly T[] => {
    spend(1 + found.length);
    return found;
  };
  const numbered = (relation: Relation): NumberedRelation => ({ ...relation, number: numberOf(relation.name) });

  /** Returns the values that each table has for a name, with the place of the table. */
  const inTables = (name: number, grouped: (table: PackageTable) => Grouped) =>
    tables.flatMap((table, repository) => {
      const local = table.numbers.get(nameOf(name));
      return local === undefined ? [] : [{ table, repository, values: groupOf(grouped(table), local) }];
    });

  const read = (number: number): SolverPackage => {
    const repository = firsts.findLastIndex((first) => first <= number);
    const table = tables[repository];
    if (table === undefined) throw new RangeError(`there is no package ${number}`);
    const { name, version, arch, depends, conflicts, provides, installIf, priority, tags, isBeyond, downloadSize, installedSize } =
      packageAt(table, number - (firsts[repository] ?? 0));
    spend(READING + RELATION_READING * (depends.length + provides.length + conflicts.length + installIf.length));
    const dependencies = depends.map(({ alternatives, isGreedy }) => ({ isGreedy, alternatives: alternatives.map(numbered) }));
    return {
      name,
      own: numberOf(name),
      version,
      arch,
      depends: dependencies,
      needs: dependencies.flatMap(({ alternatives }) => alternatives),
      conflicts: conflicts.map(numbered),
      provides: provides.map((one) => ({ ...one, number: numberOf(one.name) })),
      installIf: installIf.map(numbered),
      priority,
      tags,
      isBeyond,
      downloadSize,
      installedSize,
      repository,
    };
  };

  const readProviders = (name: number): Provider[] => {
    const found: Provider[] = [];
    const byIdentity = new Map<string, number>();
    for (const { table, repository, values } of inTables(name, (one) => one.providers))
      for (let at = 0; at < values.length; at += 2) {
        const position = values[at] ?? 0;
        const number = (firsts[repository] ?? 0) + position;
        // Apk knows a package of two indexes as one, and takes it from the first.
        const identity = identityAt(table, position);
        if (identity !== '' && remembered(byIdentity, identity, () => number) !== number) continue;
        found.push({ package: number, version: table.texts[values[at + 1] ?? 0] ?? '' });
      }
    spend(found.length);
    return found;
  };

  const readConditioned = (name: number): number[] => {
    const found = new Set<number>();
    for (const { table, values } of inTables(name, (one) => one.conditioned))
      for (const local of values) found.add(numberOf(table.names[local] ?? ''));
    return [...found];
  };

  return {
    numberOf,
    nameOf,
    package: (number) => remembered(packages, number, read),
    providersOf: (name) => counted(remembered(providers, name, readProviders)),
    conditionedOf: (name) => counted(remembered(conditioned, name, readConditioned)),
    limitWork: (steps) => {
      left = steps;
    },
    spend,
  };
}
