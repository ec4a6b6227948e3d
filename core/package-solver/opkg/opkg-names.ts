import { remembered } from '#lib/remembered.ts';
import type { SolverGraph } from '../index/solver-graph.ts';

/** Returns readers of the graph as opkg sees it: packages have versions, and a name is provided by names. */
export function opkgNames(graph: SolverGraph) {
  const versions = new Map<number, number[]>();
  const providers = new Map<number, number[]>();
  const ownOf = (one: number): number => graph.package(one).own;
  const readVersions = (name: number): number[] => {
    const seen = new Set<string>();
    return graph.providersOf(name).flatMap(({ package: one }) => {
      const { own, version, arch } = graph.package(one);
      if (own !== name || seen.has(`${version} ${arch}`)) return [];
      seen.add(`${version} ${arch}`);
      return one;
    });
  };
  return {
    /** Returns the packages that have the name themselves. The same version and architecture counts once. */
    versionsOf: (name: number): readonly number[] => remembered(versions, name, readVersions),
    /** Returns the names of packages that answer to the name, in order of appearance. */
    providersOf: (name: number): readonly number[] =>
      remembered(providers, name, () => [...new Set(graph.providersOf(name).map((provider) => ownOf(provider.package)))]),
  };
}
