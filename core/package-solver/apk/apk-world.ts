import { plainRelation, type Relation } from '../index/index-package.ts';
import type { SolverGraph } from '../index/solver-graph.ts';

/** A package of the ImageBuilder itself, in the only version that the image may have. */
export interface Pin {
  readonly name: string;
  readonly version: string;
}

/** Returns what ImageBuilder makes apk install: the words, and the pins in place of the words with their names. */
export function apkWorld(words: readonly string[], pins: readonly Pin[]): Relation[] {
  const world = new Map<string, Relation>();
  for (const word of words) world.set(word, plainRelation(word));
  for (const { name, version } of pins) world.set(name, plainRelation(name, version));
  return [...world.values()].sort(byName);
}

/** Apk keeps its world in this order: without regard to case first. */
function byName({ name: one }: Relation, { name: two }: Relation): number {
  const [lower, otherLower] = [one.toLowerCase(), two.toLowerCase()];
  if (lower !== otherLower) return lower < otherLower ? -1 : 1;
  return one === two ? 0 : one < two ? -1 : 1;
}

const ABI_TAG = 'openwrt:abiversion=';

/**
 * Returns the words for which an ImageBuilder exchanges a word if it writes ABI suffixes behind the words that packages
 * provide (FormatPackages in its Makefile). Several suffixes stand apart, with blanks between them.
 */
export function withAbi(graph: SolverGraph, word: string): string[] {
  const number = graph.numberOf(word);
  const suffixes = graph
    .providersOf(number)
    .map((provider) => graph.package(provider.package))
    .filter(({ own }) => own !== number)
    .flatMap(({ tags }) => tags.filter((tag) => tag.startsWith(ABI_TAG)))
    .map((tag) => tag.slice(ABI_TAG.length));
  return `${word}${[...new Set(suffixes)].join(' ')}`.split(' ');
}
