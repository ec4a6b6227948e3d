import type { ApkDependency, ApkSolverPackage } from './apk-package.ts';

/** A dependency with the number of the name. */
export type NumberedDependency = ApkDependency & { readonly number: number };

/** A package that answers to a name, and in which version; the version is empty where it has none. */
export interface Provider {
  readonly package: number;
  readonly version: string;
}

/** The packages of all indexes as apk sees them once it has read them: by number, as are the names. Nothing changes it. */
export interface ApkGraph {
  readonly packages: readonly ApkSolverPackage[];
  /** The first index that has the package: apk prefers the earlier one. */
  readonly repositories: readonly number[];
  readonly nameOf: readonly number[];
  readonly depends: readonly (readonly NumberedDependency[])[];
  readonly installIf: readonly (readonly NumberedDependency[])[];
  /** The names that a package provides, besides its own. */
  readonly provides: readonly (readonly { readonly number: number; readonly version: string }[])[];
  readonly names: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly providers: readonly (readonly Provider[])[];
  /** The names whose packages depend on a name, and those whose packages have it among their conditions. */
  readonly dependants: readonly (readonly number[])[];
  readonly conditioned: readonly (readonly number[])[];
}

/** Returns the graph of the packages of all indexes, which are in the order of apk's configuration. */
export function apkGraph(indexes: Iterable<Iterable<ApkSolverPackage>>): ApkGraph {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const providers: Provider[][] = [];
  const dependants: Set<number>[] = [];
  const conditioned: Set<number>[] = [];
  const packages: ApkSolverPackage[] = [];
  const repositories: number[] = [];
  const nameOf: number[] = [];
  const provides: { number: number; version: string }[][] = [];
  const byIdentity = new Set<string>();
  const number = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    providers.push([]);
    dependants.push(new Set());
    conditioned.push(new Set());
    return names.push(name) - 1;
  };
  let repository = 0;
  for (const index of indexes) {
    for (const one of index) {
      if (one.identity !== '' && byIdentity.has(one.identity)) continue;
      byIdentity.add(one.identity);
      const own = number(one.name);
      const at = packages.push(one) - 1;
      repositories.push(repository);
      nameOf.push(own);
      providers[own]?.push({ package: at, version: one.version });
      const provided = one.provides.map(({ name, version }) => ({ number: number(name), version }));
      provides.push(provided);
      for (const { number: name, version } of provided) providers[name]?.push({ package: at, version });
    }
    repository++;
  }
  const numbered = (dependency: ApkDependency): NumberedDependency => ({ ...dependency, number: number(dependency.name) });
  const depends = packages.map((one) => one.depends.map(numbered));
  const installIf = packages.map((one) => one.installIf.map(numbered));
  for (let at = 0; at < packages.length; at++) {
    const answers = [nameOf[at] ?? 0, ...(provides[at] ?? []).map((one) => one.number)];
    for (const { number: name } of depends[at] ?? []) for (const own of answers) dependants[name]?.add(own);
    for (const { number: name } of installIf[at] ?? []) for (const own of answers) conditioned[name]?.add(own);
  }
  return {
    packages,
    repositories,
    nameOf,
    depends,
    installIf,
    provides,
    names,
    numbers,
    providers,
    dependants: dependants.map((set) => [...set]),
    conditioned: conditioned.map((set) => [...set]),
  };
}
