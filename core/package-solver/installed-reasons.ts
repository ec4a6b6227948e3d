import { commandWords, type ImageSelection } from './command-words.ts';
import type { SolverGraph } from './index/solver-graph.ts';

/** Why a package is in an image. */
export interface InstalledReason {
  /**
   * `requested`: the request names it. `default`, `device`: it is there by default, for the target or the device.
   * `dependency`: another package needs it. `condition`: it comes along whenever certain others are installed, as apk's
   * packages can ask for. `system`: every image has it.
   */
  readonly kind: 'requested' | 'default' | 'device' | 'dependency' | 'condition' | 'system';
  /** The packages that lead to a dependency, from the one that is there for another reason to the one that needs it. */
  readonly chain: readonly string[];
}

const NO_CHAIN: readonly string[] = [];

/** Packages that ImageBuilder installs whatever the words are. */
const SYSTEM = new Set(['libc', 'kernel']);

/**
 * Returns a reader of why each of the installed packages is there. Words come before dependencies, and of the ways to a
 * dependency the shortest one counts, whatever the order of the words is. `writtenAs` returns the words that ImageBuilder puts in place of a word.
 */
export function reasonsOf(
  graph: SolverGraph,
  installed: readonly number[],
  selection: ImageSelection,
  writtenAs: (word: string) => readonly string[],
): (one: number) => InstalledReason {
  const isInstalled = new Set(installed);
  const reasons = new Map<number, InstalledReason>();
  const answering = (name: number): number[] =>
    graph.providersOf(name).flatMap(({ package: one }) => (isInstalled.has(one) && !reasons.has(one) ? [one] : []));
  const kindOf = kindsOf(selection);
  const reached: number[] = [];
  const give = (one: number, reason: InstalledReason): void => {
    reasons.set(one, reason);
    reached.push(one);
  };
  const words = commandWords(selection)
    .sort()
    .flatMap((word) => writtenAs(word).map((written) => [word, graph.numberOf(written)] as const));
  // A package that has the name itself was meant first; another one may only answer to it.
  for (const isOwn of [true, false])
    for (const [word, number] of words)
      for (const one of answering(number))
        if (!isOwn || graph.package(one).own === number) give(one, { kind: kindOf(word), chain: NO_CHAIN });
  for (const one of installed) if (SYSTEM.has(graph.package(one).name) && !reasons.has(one)) give(one, { kind: 'system', chain: NO_CHAIN });
  const follow = (): void => {
    for (let one = reached.shift(); one !== undefined; one = reached.shift()) {
      const { name, needs } = graph.package(one);
      const chain = [...(reasons.get(one)?.chain ?? NO_CHAIN), name];
      for (const { number, isConflict } of needs)
        if (!isConflict) for (const next of answering(number)) give(next, { kind: 'dependency', chain });
    }
  };
  follow();
  for (const one of installed) {
    if (reasons.has(one) || graph.package(one).installIf.length === 0) continue;
    give(one, { kind: 'condition', chain: NO_CHAIN });
    follow();
  }
  return (one) => reasons.get(one) ?? { kind: 'dependency', chain: NO_CHAIN };
}

/** Returns why a word stands in the command: the request counts first, then the device. */
function kindsOf({ packages, devicePackages }: ImageSelection): (word: string) => 'requested' | 'device' | 'default' {
  const requested = new Set(packages);
  const ofDevice = new Set(devicePackages);
  return (word) => (requested.has(word) ? 'requested' : ofDevice.has(word) ? 'device' : 'default');
}
