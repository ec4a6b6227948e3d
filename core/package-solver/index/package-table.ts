import { MalformedFileError } from '#core/catalogue/upstream-files.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';
import type { Dependency, IndexPackage, Provided, Relation } from './index-package.ts';

/**
 * The packages of one index, in arrays of numbers and lists of distinct texts, since a server keeps some ten thousand
 * packages for each architecture. Nothing changes it. `packageTable` makes it, and `packageAt` reads a package from it.
 */
export interface PackageTable {
  /** All names: those of packages, and those that packages mention. */
  readonly names: readonly string[];
  /** The number of each name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** All other texts: versions, architectures, tags, digests, descriptions. The first is the empty one. */
  readonly texts: readonly string[];
  /** `FIELDS` numbers for each package. */
  readonly packages: Uint32Array;
  /** `RELATION` numbers for each relation, those of a package together: dependencies, conflicts, provides, conditions. */
  readonly relations: Uint32Array;
  /** For each package the numbers of the texts that are its tags. */
  readonly tags: Uint32Array;
  /** The packages that answer to each name: their positions, and the texts that are the versions in which they do. */
  readonly providers: Grouped;
  /** The names that have each name as a condition: the own and the provided ones of each package with such a condition. */
  readonly conditioned: Grouped;
}

/** Numbers in groups: `values` from `ends[group - 1]` to `ends[group]`. */
export interface Grouped {
  readonly ends: Uint32Array;
  readonly values: Uint32Array;
}

/** The numbers of a package; those that end with `END` say where its relations or tags end in their array. */
const NAME = 0;
const VERSION = 1;
const ARCH = 2;
const PRIORITY = 3;
const IDENTITY = 4;
const IS_BEYOND = 5;
const DOWNLOAD_SIZE = 6;
const INSTALLED_SIZE = 7;
const DESCRIPTION = 8;
const DEPENDS_END = 9;
const CONFLICTS_END = 10;
const PROVIDES_END = 11;
const INSTALL_IF_END = 12;
const TAGS_END = 13;
export const FIELDS = 14;

/** The numbers of a relation: name, version, and the bits below. */
export const RELATION = 3;
const ACCEPTS = 7;
const FUZZY = 8;
const CONFLICT = 16;
const GREEDY = 32;
/** The next relation is another alternative of the same dependency. */
const OR_NEXT = 64;

/** Beyond these an index is an attack: the feeds of an architecture together have 11,000 packages with 60,000 relations. */
const MAX_PACKAGES = 60_000;
const MAX_RELATIONS = 300_000;
const MAX_TEXT_LENGTH = 256;
/** Sizes are kept in 32 bits. No package of a router is that large. */
const MAX_SIZE = 0xffff_ffff;

/** Returns the number of packages in a table. */
export const packageCount = ({ packages }: PackageTable): number => packages.length / FIELDS;

/**
 * Returns the table of an index. It throws a `MalformedFileError` for an index that no real one can be.
 */
export function* packageTable(file: string, packages: Iterable<IndexPackage>): Sliced<PackageTable> {
  const names = distinctTexts(file);
  const texts = distinctTexts(file);
  texts.number('');
  const rows: number[] = [];
  const relations: number[] = [];
  const tags: number[] = [];
  const add = ({ name, version, accepts, isFuzzy, isConflict }: Relation, further: number): void => {
    const bits = accepts | (isFuzzy ? FUZZY : 0) | (isConflict ? CONFLICT : 0) | further;
    relations.push(names.number(name), texts.number(version), bits);
  };
  let count = 0;
  for (const one of packages) {
    if (++count > MAX_PACKAGES) throw new MalformedFileError(file, `it lists more than ${MAX_PACKAGES} packages`);
    if (relations.length > MAX_RELATIONS * RELATION) throw new MalformedFileError(file, `it lists more than ${MAX_RELATIONS} relations`);
    if (count % PIECE === 0) yield;
    for (const { alternatives, isGreedy } of one.depends)
      for (const relation of alternatives) add(relation, (isGreedy ? GREEDY : 0) | (relation === alternatives.at(-1) ? 0 : OR_NEXT));
    const dependsEnd = relations.length;
    for (const relation of one.conflicts) add(relation, 0);
    const conflictsEnd = relations.length;
    for (const { name, version } of one.provides) relations.push(names.number(name), texts.number(version), 0);
    const providesEnd = relations.length;
    for (const relation of one.installIf) add(relation, 0);
    for (const tag of one.tags) tags.push(texts.number(tag));
    rows.push(names.number(one.name), texts.number(one.version), texts.number(one.arch));
    rows.push(one.priority >>> 0, texts.number(one.identity), one.isBeyond ? 1 : 0);
    rows.push(Math.min(one.downloadSize, MAX_SIZE), Math.min(one.installedSize, MAX_SIZE));
    rows.push(texts.number(one.description.slice(0, MAX_TEXT_LENGTH)));
    rows.push(dependsEnd, conflictsEnd, providesEnd, relations.length, tags.length);
  }
  return yield* tableOf({
    names: names.all,
    texts: texts.all,
    packages: Uint32Array.from(rows),
    relations: Uint32Array.from(relations),
    tags: Uint32Array.from(tags),
  });
}

/** The part of a table from which the rest is computed. */
export type TableParts = Pick<PackageTable, 'names' | 'texts' | 'packages' | 'relations' | 'tags'>;

/** Returns the table that has these parts. */
export function* tableOf(parts: TableParts): Sliced<PackageTable> {
  const { names, packages } = parts;
  const numbers = new Map(names.map((name, at) => [name, at]));
  yield;
  const count = packages.length / FIELDS;
  const providers = groups(names.length, 2);
  const conditioned = groups(names.length, 1);
  // The first pass counts, the second one fills.
  for (const step of ['count', 'fill'] as const) {
    if (step === 'fill') for (const one of [providers, conditioned]) one.allot();
    for (let at = 0; at < count; at++) {
      if (at % PIECE === PIECE - 1) yield;
      const row = rowOf(parts, at);
      providers[step](row.name, at, row.version);
      row.provides((name, version) => providers[step](name, at, version));
      const answers = [row.name];
      row.provides((name) => void answers.push(name));
      row.installIf((name) => {
        for (const answer of answers) conditioned[step](name, answer);
      });
    }
  }
  return { ...parts, numbers, providers: providers.grouped(), conditioned: conditioned.grouped() };
}

/** Returns a package as its index lists it. */
export function packageAt(table: PackageTable, at: number): IndexPackage {
  const { names, texts, packages, tags, relations } = table;
  const field = (index: number): number => packages[at * FIELDS + index] ?? 0;
  const before = (index: number): number => (at === 0 ? 0 : (packages[(at - 1) * FIELDS + index] ?? 0));
  const text = (number: number): string => texts[number] ?? '';
  const list = (from: number, end: number): Stored[] => {
    const found: Stored[] = [];
    for (let next = from; next < end; next += RELATION) {
      const bits = relations[next + 2] ?? 0;
      const relation = {
        name: names[relations[next] ?? 0] ?? '',
        version: text(relations[next + 1] ?? 0),
        accepts: bits & ACCEPTS,
        isFuzzy: (bits & FUZZY) !== 0,
        isConflict: (bits & CONFLICT) !== 0,
      };
      found.push({ relation, bits });
    }
    return found;
  };
  return {
    name: names[field(NAME)] ?? '',
    version: text(field(VERSION)),
    arch: text(field(ARCH)),
    depends: dependenciesOf(list(before(INSTALL_IF_END), field(DEPENDS_END))),
    conflicts: list(field(DEPENDS_END), field(CONFLICTS_END)).map(({ relation }) => relation),
    provides: list(field(CONFLICTS_END), field(PROVIDES_END)).map(({ relation: { name, version } }): Provided => ({ name, version })),
    installIf: list(field(PROVIDES_END), field(INSTALL_IF_END)).map(({ relation }) => relation),
    priority: field(PRIORITY),
    tags: Array.from(tags.subarray(before(TAGS_END), field(TAGS_END)), text),
    identity: text(field(IDENTITY)),
    isBeyond: field(IS_BEYOND) !== 0,
    downloadSize: field(DOWNLOAD_SIZE),
    installedSize: field(INSTALLED_SIZE),
    description: text(field(DESCRIPTION)),
  };
}

/** Returns the identity alone of a package, as `packageAt`. */
export const identityAt = ({ packages, texts }: PackageTable, at: number): string => texts[packages[at * FIELDS + IDENTITY] ?? 0] ?? '';

interface Stored {
  readonly relation: Relation;
  readonly bits: number;
}

function dependenciesOf(stored: readonly Stored[]): Dependency[] {
  const dependencies: Dependency[] = [];
  let alternatives: Relation[] = [];
  for (const { relation, bits } of stored) {
    alternatives.push(relation);
    if ((bits & OR_NEXT) !== 0) continue;
    dependencies.push({ alternatives, isGreedy: (bits & GREEDY) !== 0 });
    alternatives = [];
  }
  return dependencies;
}

/** Returns readers of the names in a package's row. */
function rowOf({ packages, relations }: TableParts, at: number) {
  const field = (index: number): number => packages[at * FIELDS + index] ?? 0;
  const each = (from: number, end: number, use: (name: number, version: number) => void): void => {
    for (let next = from; next < end; next += RELATION) use(relations[next] ?? 0, relations[next + 1] ?? 0);
  };
  return {
    name: field(NAME),
    version: field(VERSION),
    provides: (use: (name: number, version: number) => void) => each(field(CONFLICTS_END), field(PROVIDES_END), use),
    installIf: (use: (name: number) => void) => each(field(PROVIDES_END), field(INSTALL_IF_END), use),
  };
}

/** Sorts tuples of `width` numbers into groups, in two passes with the same calls. */
function groups(count: number, width: number) {
  const ends = new Uint32Array(count);
  let values = new Uint32Array();
  return {
    count: (group: number): void => {
      ends[group] = (ends[group] ?? 0) + width;
    },
    /** Turns the sizes into the starts. Each start moves to its end while its group is filled. */
    allot: (): void => {
      let total = 0;
      for (let group = 0; group < count; group++) {
        const size = ends[group] ?? 0;
        ends[group] = total;
        total += size;
      }
      values = new Uint32Array(total);
    },
    fill: (group: number, ...tuple: number[]): void => {
      let at = ends[group] ?? 0;
      for (const value of tuple.slice(0, width)) values[at++] = value;
      ends[group] = at;
    },
    grouped: (): Grouped => ({ ends, values }),
  };
}

/** Returns the values of one group. */
export const groupOf = ({ ends, values }: Grouped, group: number): Uint32Array =>
  values.subarray(group === 0 ? 0 : (ends[group - 1] ?? 0), ends[group] ?? 0);

/** Numbers texts in the order in which they first appear. */
function distinctTexts(file: string) {
  const all: string[] = [];
  const numbers = new Map<string, number>();
  return {
    all,
    number: (text: string): number => {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      if (text.length > MAX_TEXT_LENGTH)
        throw new MalformedFileError(file, `it lists a name or version of more than ${MAX_TEXT_LENGTH} characters`);
      numbers.set(text, all.length);
      return all.push(text) - 1;
    },
  };
}
