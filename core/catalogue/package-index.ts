import { PACKAGE_RULES } from '#core/package-changes/package-rules.ts';
import { editDistance } from '#lib/edit-distance.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';
import type { ApkPackage } from './apk-index.ts';
import type { PackageIndex, TargetRecord } from './catalogue.ts';
import { readParagraphs } from './packages-paragraphs.ts';
import { dictionary, MalformedFileError, parseObject } from './upstream-files.ts';

type Conflicts = Readonly<Record<string, readonly string[]>>;

/** One index file, or several merged: a feed, a target's own packages, its kernel modules. */
export interface FeedIndex {
  /** Absent where no package names one: all are `all`, or there are none. */
  readonly architecture?: string;
  /** name without ABI suffix → version. */
  readonly packages: Readonly<Record<string, string>>;
  /** Provides, and names with ABI suffix. */
  readonly aliases: readonly string[];
  /** name → the names that the package declares a conflict with. Absent: no package declares any. */
  readonly conflicts?: Conflicts;
  /** What `base-files` depends on, by name. Absent where the index does not list it. */
  readonly baseNeeds?: readonly string[];
  /** The packages that are listed in more than one version. Absent: there are none, or the index was not merged. */
  readonly uncertain?: readonly string[];
  /** False where no Provides were read, so that a request may name packages that are not listed. */
  readonly complete: boolean;
}

/** Returns the part of an index that has the conflicts: nothing where there are none. */
const conflictsPart = (conflicts: Conflicts): { readonly conflicts?: Conflicts } =>
  Object.keys(conflicts).length > 0 ? { conflicts } : {};

const baseNeedsPart = (baseNeeds: readonly string[] | undefined): { readonly baseNeeds?: readonly string[] } =>
  baseNeeds === undefined ? {} : { baseNeeds };

const uncertainPart = (uncertain: readonly string[]): { readonly uncertain?: readonly string[] } =>
  uncertain.length > 0 ? { uncertain } : {};

export const EMPTY_FEED: FeedIndex = { packages: dictionary<string>([]), aliases: [], complete: true };

/** The feeds of an architecture together have 11,000 packages and as many other names. */
const MAX_NAMES = 100_000;
const MAX_NAME_LENGTH = 256;

/** Collects the entries of an index, and refuses what no real index has. */
function feedOf(what: string) {
  const packages = dictionary<string>([]);
  const aliases = new Set<string>();
  const conflicts = dictionary<readonly string[]>([]);
  const uncertain = new Set<string>();
  let baseNeeds: readonly string[] | undefined;
  let listed = 0;
  const admit = (name: string): string => {
    if (++listed > MAX_NAMES) throw new MalformedFileError(what, `it lists more than ${MAX_NAMES} names`);
    return bounded(name);
  };
  const bounded = (text: string): string => {
    if (text.length > MAX_NAME_LENGTH)
      throw new MalformedFileError(what, `it lists a name or version of more than ${MAX_NAME_LENGTH} characters`);
    return text;
  };
  return {
    packages,
    add(name: string, version: string): void {
      if (Object.hasOwn(packages, name) && packages[name] !== version) uncertain.add(name);
      packages[admit(name)] = bounded(version);
    },
    addAlias(name: string): void {
      if (!aliases.has(name)) aliases.add(admit(name));
    },
    /** Replaces the conflicts of a package, since of two packages of one name the later counts. */
    setConflicts(name: string, others: readonly string[]): void {
      if (others.length > 0) conflicts[name] = [...new Set(others)].map(admit);
      else delete conflicts[name];
    },
    setBaseNeeds(names: readonly string[] = []): void {
      if (names.length > 0) baseNeeds = [...new Set(names)].map(admit);
    },
    addUncertain: (name: string): void => void uncertain.add(name),
    uncertain: () => [...uncertain],
    index: (architecture: string | undefined, complete: boolean): FeedIndex => ({
      ...(architecture !== undefined && { architecture }),
      packages,
      aliases: [...aliases],
      ...conflictsPart(conflicts),
      ...baseNeedsPart(baseNeeds),
      ...uncertainPart([...uncertain]),
      complete,
    }),
  };
}

/**
 * Reads `index.json`. `clean` (version 2 and later, of apk) has names without ABI suffix; version 1 has them with it,
 * and lacks some packages.
 */
export function* parseIndexJson(text: string): Sliced<FeedIndex & { readonly clean: boolean }> {
  const file = yield* parseObject('index.json', text);
  const listed = file['packages'];
  if (typeof listed !== 'object' || listed === null) throw new MalformedFileError('index.json', 'it lists no packages');
  const architecture = file['architecture'];
  const version = file['version'];
  const feed = feedOf('index.json');
  yield* inPieces(Object.keys(listed), (name) => {
    const listedVersion = (listed as Record<string, unknown>)[name];
    if (typeof listedVersion === 'string') feed.add(name, listedVersion);
  });
  return {
    ...(typeof architecture === 'string' && { architecture }),
    packages: feed.packages,
    aliases: [],
    complete: false,
    clean: typeof version === 'number' && version >= 2,
  };
}

function* inPieces<T>(items: readonly T[], use: (item: T) => void): Sliced<void> {
  for (let index = 0; index < items.length; index++) {
    if (index % PIECE === PIECE - 1) yield;
    use(items[index] as T);
  }
}

/** The fields of `Packages` that are read. */
const FIELDS = new Set(['Package', 'Version', 'Architecture', 'ABIVersion', 'Provides', 'Conflicts', 'Depends']);
/** The package that every image begins with. Its dependencies alone are read. */
const BASE = 'base-files';

/**
 * `Packages` of opkg. Names lose their ABI suffix, the first architecture that is not `all` is the feed's (asu/util.py,
 * parse_packages_file).
 */
export function* parsePackages(bytes: Uint8Array): Sliced<FeedIndex> {
  const feed = feedOf('Packages');
  let architecture: string | undefined;
  yield* readParagraphs(bytes, {
    wanted: FIELDS,
    isLeftOut: (field, before) => field === 'Depends' && before.get('Package') !== BASE,
    use: (fields) => {
      const name = fields.get('Package') ?? '';
      const arch = fields.get('Architecture');
      if (arch !== undefined && arch !== 'all') architecture ??= arch;
      const bare = withoutAbi(name, fields.get('ABIVersion'));
      feed.add(bare, fields.get('Version') ?? '');
      if (bare !== name) feed.addAlias(name);
      for (const provided of parseNames(fields.get('Provides') ?? '')) feed.addAlias(provided);
      feed.setConflicts(bare, parseNames(fields.get('Conflicts') ?? ''));
      if (bare === BASE) feed.setBaseNeeds(parseNames(fields.get('Depends') ?? ''));
    },
  });
  return feed.index(architecture, true);
}

const ABI_TAG = 'openwrt:abiversion=';

/** Reads apk's own index: clean names as in `index.json` version 2, and all other names of the packages. */
export function* apkFeed(packages: readonly ApkPackage[]): Sliced<FeedIndex> {
  const architecture = packages.find(({ arch }) => arch !== 'noarch' && arch !== 'all' && arch !== '')?.arch;
  const feed = feedOf('packages.adb');
  yield* inPieces(packages, ({ name, version, provides, tags, conflicts = [], depends }) => {
    const bare = withoutAbi(name, tags.find((tag) => tag.startsWith(ABI_TAG))?.slice(ABI_TAG.length));
    feed.add(bare, version);
    if (bare !== name) feed.addAlias(name);
    // The others are sonames and commands, which no request can name.
    for (const provided of provides) if (!provided.includes(':')) feed.addAlias(provided);
    feed.setConflicts(bare, conflicts);
    if (bare === BASE) feed.setBaseNeeds(depends);
  });
  return feed.index(architecture, true);
}

/**
 * Merges feeds into one. For equal names the later feed wins, as in the reference server. The architecture is the first
 * one known.
 */
export function* mergeFeeds(feeds: readonly FeedIndex[]): Sliced<FeedIndex> {
  const architecture = feeds.find((feed) => feed.architecture !== undefined)?.architecture;
  const merged = feedOf('All feeds');
  for (const { packages, aliases, conflicts = {}, uncertain = [], baseNeeds } of feeds) {
    merged.setBaseNeeds(baseNeeds);
    yield* inPieces(Object.keys(packages), (name) => {
      merged.add(name, packages[name] ?? '');
      merged.setConflicts(name, Object.hasOwn(conflicts, name) ? (conflicts[name] ?? []) : []);
    });
    yield* inPieces(aliases, merged.addAlias);
    uncertain.forEach(merged.addUncertain);
  }
  const complete = feeds.every((feed) => feed.complete);
  return { ...merged.index(architecture, complete), uncertain: merged.uncertain() };
}

/** A target's packages (its kernel modules merged in) with the feeds of its architecture. */
export function packageIndex(target: FeedIndex, feeds: FeedIndex, arch: string): PackageIndex {
  return {
    architecture: target.architecture ?? feeds.architecture ?? arch,
    target: target.packages,
    feeds: feeds.packages,
    aliases: [...new Set([...target.aliases, ...feeds.aliases])],
    ...conflictsPart(bothOf(target.conflicts, feeds.conflicts)),
    ...baseNeedsPart(target.baseNeeds ?? feeds.baseNeeds),
    ...(feeds.uncertain && { uncertain: feeds.uncertain }),
    complete: target.complete && feeds.complete && Object.keys(target.packages).length > 0,
  };
}

/** Returns the conflicts of both: a package of either may be the one that is installed. */
function bothOf(target: Conflicts = {}, feeds: Conflicts = {}): Conflicts {
  const names = [...new Set([...Object.keys(target), ...Object.keys(feeds)])];
  const of = (conflicts: Conflicts, name: string) => (Object.hasOwn(conflicts, name) ? (conflicts[name] ?? []) : []);
  return dictionary(names.map((name) => [name, [...new Set([...of(target, name), ...of(feeds, name)])]]));
}

/** `/json/v1/{path}/targets/{target}/index.json`: `{}` where upstream has no index (docs/contract.md §5). */
export function targetIndexDocument(index: PackageIndex | undefined): Record<string, unknown> {
  if (index === undefined || Object.keys(index.target).length === 0) return {};
  return { architecture: index.architecture, packages: index.target };
}

/**
 * Whether kernel modules stand in `kmods/` and no longer in `packages/`: 23.05.6, 24.10 and later, snapshots. As
 * `check_kmod_split` of asu/util.py, compared by number.
 */
export function hasKmodSplit(versionPath: string): boolean {
  if (versionPath.startsWith('snapshots')) return true;
  const [, major, minor, rest] = /^releases\/(\d+)\.(\d+)(?:-SNAPSHOT$|\.(.+)$)/.exec(versionPath) ?? [];
  if (major === undefined) return false;
  if (Number(major) >= 24) return true;
  return major === '23' && minor === '05' && (rest === undefined || (/^\d+$/.test(rest) && Number(rest) >= 6));
}

/** Packages that every image has. ImageBuilder brings them where the feeds do not list them. */
export const ALWAYS_KNOWN = new Set(['kernel', 'libc', 'base-files']);

/**
 * Names that are derived from an index and a record. A process makes each once and remembers it (`preparationMemory`).
 */
export interface KnownNames {
  aliases(index: PackageIndex): ReadonlySet<string>;
  carried(record: TargetRecord): ReadonlySet<string>;
}

/** Derives the names each time. */
export const KNOWN_NAMES: KnownNames = { aliases: ({ aliases }) => new Set(aliases), carried: namesCarried };

/**
 * Returns the packages that exist nowhere for this target, for which the build would fail (docs/contract.md §10.21). A
 * removal is never refused. While the index is incomplete, no package is: a wrong refusal locks a user out, and a late
 * one costs a build. `suggestions` has similar names, where there are any.
 */
export function unknownPackages(
  asked: readonly string[],
  index: PackageIndex,
  record: TargetRecord,
  names: KnownNames = KNOWN_NAMES,
): { missing: string[]; suggestions: Record<string, string[]> } {
  if (!index.complete) return { missing: [], suggestions: {} };
  const aliases = names.aliases(index);
  const carried = names.carried(record);
  const missing = asked.filter(
    (name) =>
      !name.startsWith('-') &&
      !Object.hasOwn(index.target, name) &&
      !Object.hasOwn(index.feeds, name) &&
      !aliases.has(name) &&
      !ALWAYS_KNOWN.has(name) &&
      !carried.has(name),
  );
  const unique = [...new Set(missing)];
  return { missing: unique, suggestions: similarPackages(unique, index) };
}

/** Returns the default packages and those of every device: ImageBuilder itself names them, whatever the feeds list. */
function namesCarried(record: TargetRecord): ReadonlySet<string> {
  const names = [...record.defaultPackages, ...Object.values(record.profiles).flatMap((profile) => profile.devicePackages)];
  return new Set(names.filter((name) => !name.startsWith('-')));
}

/** With more unknown names than this, the request is no typing mistake. */
const MAX_SUGGESTED_FOR = 10;
const MAX_SUGGESTIONS = 3;

/** The successors of packages that no longer exist. */
const SUCCESSORS: ReadonlyMap<string, string> = new Map(
  PACKAGE_RULES.flatMap(({ action }) => (action.kind === 'replace' ? [[action.from, action.to]] : [])),
);

/** Returns the successor, or a few similar names, of each missing package that has any. */
export function similarPackages(missing: readonly string[], index: PackageIndex): Record<string, string[]> {
  const found: [string, string[]][] = [];
  if (missing.length > 0) {
    const candidates = [...Object.keys(index.target), ...Object.keys(index.feeds)];
    for (const name of missing.slice(0, MAX_SUGGESTED_FOR)) {
      const close = similarNames(name, candidates);
      if (close.length > 0) found.push([name, close]);
    }
  }
  return Object.fromEntries(found);
}

/** Returns what the client probably means by an unknown name: the package's successor, or the names that are closest to it. */
export function similarNames(name: string, candidates: readonly string[]): string[] {
  const successor = SUCCESSORS.get(name);
  return successor !== undefined && candidates.includes(successor) ? [successor] : closest(name, candidates);
}

/** Returns the names with the fewest changes, if these are few. */
function closest(name: string, candidates: readonly string[]): string[] {
  const limit = name.length < 5 ? 1 : 2;
  const letters = lettersOf(name);
  const byDistance: Set<string>[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit || bitCount(letters & ~lettersOf(candidate)) > limit) continue;
    const distance = editDistance(name, candidate, limit);
    if (distance > limit) continue;
    byDistance[distance] ??= new Set();
    byDistance[distance].add(candidate);
  }
  const best = byDistance.find((names) => names !== undefined) ?? new Set();
  return [...best].sort().slice(0, MAX_SUGGESTIONS);
}

/**
 * Returns a bit for each letter that occurs. One change removes at most one letter, so most candidates need no closer
 * look.
 */
function lettersOf(name: string): number {
  let letters = 0;
  for (let index = 0; index < name.length; index++) letters |= 1 << (name.charCodeAt(index) & 31);
  return letters;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** `libfoo (= 1.0), @virtual` → `libfoo`, `virtual`. */
const parseNames = (list: string): string[] =>
  list
    .split(',')
    .map(
      (entry) =>
        entry
          .trim()
          .replace(/^@/, '')
          .split(/[\s(=<>~]/)[0] ?? '',
    )
    .filter((name) => name !== '');

const withoutAbi = (name: string, abi: string | undefined): string =>
  abi && name.endsWith(abi) && name.length > abi.length ? name.slice(0, -abi.length) : name;
