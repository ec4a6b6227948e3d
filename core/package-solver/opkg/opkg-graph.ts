import type { Operator, OpkgName, OpkgPackage } from './opkg-package.ts';

/** A name with an optional constraint, with the number of the name in place of the name. */
export interface NumberedName {
  readonly name: number;
  readonly operator?: Operator | undefined;
  readonly version?: string | undefined;
}

export interface NumberedDependency {
  readonly text: string;
  readonly alternatives: readonly NumberedName[];
  readonly isGreedy: boolean;
}

/** The packages of all feeds as opkg sees them once it has read them: by number, as are the names. Nothing changes it. */
export interface OpkgGraph {
  readonly packages: readonly OpkgPackage[];
  /** The number of the name of each package. */
  readonly nameOf: readonly number[];
  readonly depends: readonly (readonly NumberedDependency[])[];
  readonly conflicts: readonly (readonly NumberedName[])[];
  readonly names: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  /** The packages of each name, in order of appearance. */
  readonly versions: readonly (readonly number[])[];
  /** The names that provide each name, itself included if it is a package, in order of appearance. */
  readonly providers: readonly (readonly number[])[];
}

/** Returns the priority of an architecture for opkg in an ImageBuilder: 0 if the device cannot run it. */
export type ArchitecturePriority = (arch: string) => number;

/**
 * Returns the graph of the packages of all feeds. The feeds are in the order of opkg's configuration, which decides
 * between equals. The same name, version and architecture counts once.
 */
export function opkgGraph(feeds: Iterable<Iterable<OpkgPackage>>): OpkgGraph {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const versions: number[][] = [];
  const providers: number[][] = [];
  const packages: OpkgPackage[] = [];
  const nameOf: number[] = [];
  const number = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    versions.push([]);
    providers.push([]);
    return names.push(name) - 1;
  };
  const provide = (name: number, by: number): void => {
    const all = providers[name];
    if (all !== undefined && !all.includes(by)) all.push(by);
  };
  for (const feed of feeds)
    for (const one of feed) {
      const name = number(one.name);
      const isKnown = versions[name]?.some((other) => packages[other]?.version === one.version && packages[other]?.arch === one.arch);
      provide(name, name);
      for (const provided of one.provides) provide(number(provided), name);
      if (isKnown === true) continue;
      versions[name]?.push(packages.push(one) - 1);
      nameOf.push(name);
    }
  const numbered = ({ name, operator, version }: OpkgName): NumberedName => ({ name: number(name), operator, version });
  return {
    packages,
    nameOf,
    depends: packages.map(({ depends }) =>
      depends.map((dependency) => ({ ...dependency, alternatives: dependency.alternatives.map(numbered) })),
    ),
    conflicts: packages.map(({ conflicts }) => conflicts.map(numbered)),
    names,
    numbers,
    versions,
    providers,
  };
}
