import type { SolverGraph } from '../index/solver-graph.ts';
import { fitsVersion } from './fits-version.ts';

/**
 * Returns the pairs of installed packages of which the first declares a conflict with the second, by its own name or by
 * one that it provides. opkg looks at a conflict only when it installs the declaring package, so the order of the words
 * decides whether it notices.
 */
export function declaredConflicts(graph: SolverGraph, installed: readonly number[]): (readonly [name: string, other: string])[] {
  const isInstalled = new Set(installed);
  return installed.flatMap((one) => {
    const { name, own, conflicts } = graph.package(one);
    return conflicts.flatMap((conflict) =>
      graph
        .providersOf(conflict.number)
        .filter((provider) => isInstalled.has(provider.package))
        .map((provider) => graph.package(provider.package))
        .filter((other) => other.own !== own && fitsVersion(conflict, other.version))
        .map((other) => [name, other.name] as const),
    );
  });
}
