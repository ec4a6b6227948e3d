import type { ApkGraph } from './apk-graph.ts';
import { type ApkDependency, plainDependency } from './apk-package.ts';

/** A package of the ImageBuilder itself, in the only version that the image may have. */
export interface Pin {
  readonly name: string;
  readonly version: string;
}

/**
 * Returns what ImageBuilder makes apk install: its words, and the pins in place of the words with their names. With
 * `addsAbi`, the ImageBuilder writes the ABI suffix behind each word that a package provides (FormatPackages in its
 * Makefile).
 */
export function apkWorld(graph: ApkGraph, words: readonly string[], pins: readonly Pin[], addsAbi: boolean): ApkDependency[] {
  const world = new Map<string, ApkDependency>();
  const named = addsAbi ? words.flatMap((word) => withAbi(graph, word)) : words;
  for (const word of named) world.set(word, plainDependency(word));
  for (const { name, version } of pins) world.set(name, plainDependency(name, version));
  return [...world.values()];
}

const ABI_TAG = 'openwrt:abiversion=';

/** Returns the words for which ImageBuilder exchanges a word: several suffixes stand apart, with blanks between them. */
export function withAbi({ numbers, providers, nameOf, packages }: ApkGraph, word: string): string[] {
  const number = numbers.get(word);
  const suffixes = (number === undefined ? [] : (providers[number] ?? []))
    .filter((provider) => nameOf[provider.package] !== number)
    .flatMap((provider) => packages[provider.package]?.tags.filter((tag) => tag.startsWith(ABI_TAG)) ?? [])
    .map((tag) => tag.slice(ABI_TAG.length));
  return `${word}${[...new Set(suffixes)].join(' ')}`.split(' ');
}
