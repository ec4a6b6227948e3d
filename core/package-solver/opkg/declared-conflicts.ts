import { GREATER, LESS } from '../index/index-package.ts';
import type { SolverGraph } from '../index/solver-graph.ts';
import { compareOpkgVersions } from './compare-opkg-versions.ts';

/**
 * Returns the pairs of installed packages of which the first declares a conflict with the second, by its own name or by
 * one that it provides. opkg looks at a conflict only when it installs the declaring package, so the order of the words
 * decides whether it notices.
 */
export function declaredConflicts(graph: SolverGraph, installed: readonly number[]): (readonly [name: string, other: string])[] {
  const isInstalled = new Set(installed);
  return installed.flatMap((one) => {
    const { name, own, conflicts } = graph.package(one);
    return conflicts.flatMap(({ number, accepts, version }) =>
      graph
        .providersOf(number)
        .filter((provider) => isInstalled.has(provider.package))
        .map((provider) => graph.package(provider.package))
        .filter((other) => other.own !== own && (accepts === 0 || isAccepted(compareOpkgVersions(other.version, version), accepts)))
        .map((other) => [name, other.name] as const),
    );
  });
}

const isAccepted = (order: number, accepts: number): boolean => order === 0 || (accepts & (order < 0 ? LESS : GREATER)) !== 0;
