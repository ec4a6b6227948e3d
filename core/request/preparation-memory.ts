import type { PackageIndex, TargetRecord } from '#core/catalogue/catalogue.ts';
import { KNOWN_NAMES, type KnownNames } from '#core/catalogue/package-index.ts';
import type { PackageTable } from '#core/package-solver/index/package-table.ts';
import type { SolverGraph } from '#core/package-solver/index/solver-graph.ts';
import type { PackageAnswer } from '#core/package-solver/solve-packages.ts';
import { type BoundedMap, boundedMap } from '#lib/bounded-map.ts';
import type { BuildRequest } from './build-request.ts';
import type { PreparedBuild } from './prepared-build.ts';
import { inputsDigest } from './request-hash.ts';
import type { ValidRequest } from './validate-request.ts';

type Preparation = Omit<PreparedBuild, 'valid'>;

/**
 * What one process remembers of requests and of upstream's records, so that it does the same work once: facts that are
 * derived from a record or an index, and what recent requests were made into. Records and indexes are replaced and
 * never changed.
 */
export interface PreparationMemory extends KnownNames {
  /**
   * Returns a graph of the tables, which `make` makes, for a question of so many words. The graphs of a few targets are kept
   * for some hundred usual questions each: a graph reads from its tables what it is asked for, and keeps that and each name.
   */
  graph(tables: readonly PackageTable[], words: number, make: () => SolverGraph): SolverGraph;
  /** Returns the answer to a question about a graph of `graph`, which `solve` finds. The key says what else the question has. */
  answer(graph: SolverGraph, key: string, solve: () => PackageAnswer): PackageAnswer;
  inputs(record: TargetRecord): string;
  /** Returns what an equal request was made into, as long as its branch, record and index are still the same. */
  recall(request: BuildRequest, skipResolution: boolean, valid: ValidRequest): Preparation | undefined;
  /** Remembers a preparation, unless the request has `defaults`, which may hold passwords. */
  remember(request: BuildRequest, skipResolution: boolean, valid: ValidRequest, made: Preparation): void;
}

/** The characters of all requests that are remembered together. What they were made into takes some times as much. */
const MAX_CHARACTERS = 1024 * 1024;

/** How many graphs are kept. A graph takes as much memory as its tables once requests have asked for every package. */
const MAX_GRAPHS = 3;
const MAX_WORDS = 20_000;
const MAX_ANSWERS = 50;

interface Remembered {
  readonly made: Preparation;
  readonly branch: ValidRequest['branch'];
  /** The catalogue bounds the records that it holds, so the memory holds none of them. */
  readonly record: WeakRef<TargetRecord>;
  readonly index: WeakRef<PackageIndex> | undefined;
  readonly size: number;
}

export function preparationMemory(): PreparationMemory {
  const graphs = new Map<readonly PackageTable[], { readonly graph: SolverGraph; left: number }>();
  const answers = new WeakMap<SolverGraph, BoundedMap<PackageAnswer>>();
  const recent = boundedMap<Remembered>(MAX_CHARACTERS, ({ size }) => size);
  const textOf = oncePerObject((request: BuildRequest) => JSON.stringify(request));
  // The text of a frozen request, such as that of a body that comes again, cannot change.
  const keyOf = (request: BuildRequest, skipResolution: boolean) =>
    `${skipResolution} ${Object.isFrozen(request) ? textOf(request) : JSON.stringify(request)}`;
  return {
    aliases: oncePerObject(KNOWN_NAMES.aliases),
    carried: oncePerObject(KNOWN_NAMES.carried),
    inputs: oncePerObject(inputsDigest),
    graph(tables, words, make) {
      const found = graphs.get(tables);
      if (found !== undefined) found.left -= words;
      if (found !== undefined && found.left > 0) return found.graph;
      graphs.delete(tables);
      const [oldest] = graphs.keys();
      if (graphs.size >= MAX_GRAPHS && oldest !== undefined) graphs.delete(oldest);
      const graph = make();
      graphs.set(tables, { graph, left: MAX_WORDS });
      return graph;
    },
    answer(graph, key, solve) {
      const known = answers.get(graph) ?? boundedMap<PackageAnswer>(MAX_ANSWERS, () => 1);
      answers.set(graph, known);
      const found = known.get(key) ?? solve();
      known.set(key, found);
      return found;
    },
    recall(request, skipResolution, { branch, record, index }) {
      if (request.defaults) return undefined;
      const found = recent.get(keyOf(request, skipResolution));
      const isSame = found?.branch === branch && found.record.deref() === record && found.index?.deref() === index;
      return isSame ? found.made : undefined;
    },
    remember(request, skipResolution, { branch, record, index }, made) {
      if (request.defaults) return;
      const key = keyOf(request, skipResolution);
      recent.set(key, { made, branch, record: new WeakRef(record), index: index && new WeakRef(index), size: key.length });
    },
  };
}

function oncePerObject<K extends object, V>(derive: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (entry === undefined) {
      entry = { value: derive(key) };
      known.set(key, entry);
    }
    return entry.value;
  };
}
