import type { ApkPackage } from './adb.ts';
import type { PackageIndex, TargetRecord } from './catalogue.ts';
import { PACKAGE_RULES } from './package-changes/package-rules.ts';
import { dictionary, MalformedFileError, parseObject } from './upstream-files.ts';

/** One index file, or several merged: a feed, a target's own packages, its kernel modules. */
export interface FeedIndex {
  /** Absent where no package says (all are `all`, or there are none). */
  readonly architecture?: string;
  /** name without ABI suffix → version. */
  readonly packages: Readonly<Record<string, string>>;
  /** Provides, and names with ABI suffix. */
  readonly aliases: readonly string[];
  /** False: the names are not all that can be asked for, as no Provides were read. */
  readonly complete: boolean;
}

export const EMPTY_FEED: FeedIndex = { packages: dictionary<string>([]), aliases: [], complete: true };

/** `index.json`: `clean` (version 2 and later, of apk) has names without ABI suffix; version 1 has them with, and lacks some packages. */
export function parseIndexJson(text: string): FeedIndex & { readonly clean: boolean } {
  const file = parseObject('index.json', text);
  const listed = file['packages'];
  if (typeof listed !== 'object' || listed === null) throw new MalformedFileError('index.json', 'it lists no packages');
  const architecture = file['architecture'];
  const version = file['version'];
  return {
    ...(typeof architecture === 'string' && { architecture }),
    packages: dictionary(Object.entries(listed).filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    aliases: [],
    complete: false,
    clean: typeof version === 'number' && version >= 2,
  };
}

/**
 * `Packages` of opkg: paragraphs of `Field: value`. Names lose their ABI suffix, the first architecture that is not `all`
 * is the feed's (asu/util.py, parse_packages_file). A file that does not end with a line is cut off.
 */
export function parsePackages(text: string): FeedIndex {
  if (text !== '' && !text.endsWith('\n')) throw new MalformedFileError('Packages', 'it is cut off');
  const packages: [string, string][] = [];
  const aliases = new Set<string>();
  let architecture: string | undefined;
  for (const paragraph of text.split(/\n{2,}/)) {
    if (paragraph.trim() === '') continue;
    const fields = parseParagraph(paragraph);
    const name = fields.get('Package');
    const version = fields.get('Version');
    if (!name || version === undefined) throw new MalformedFileError('Packages', 'a paragraph names no package and version');
    const arch = fields.get('Architecture');
    if (arch !== undefined && arch !== 'all') architecture ??= arch;
    const bare = withoutAbi(name, fields.get('ABIVersion'));
    packages.push([bare, version]);
    if (bare !== name) aliases.add(name);
    for (const provided of parseProvides(fields.get('Provides') ?? '')) aliases.add(provided);
  }
  return { ...(architecture !== undefined && { architecture }), packages: dictionary(packages), aliases: [...aliases], complete: true };
}

const ABI_TAG = 'openwrt:abiversion=';

/** What apk's own index says: clean names as in `index.json` version 2, and all other names that packages go by. */
export function apkFeed(packages: readonly ApkPackage[]): FeedIndex {
  const architecture = packages.find(({ arch }) => arch !== 'noarch' && arch !== 'all' && arch !== '')?.arch;
  const aliases = new Set<string>();
  const clean = packages.map(({ name, version, provides, tags }): [string, string] => {
    const bare = withoutAbi(name, tags.find((tag) => tag.startsWith(ABI_TAG))?.slice(ABI_TAG.length));
    if (bare !== name) aliases.add(name);
    // Others are sonames and commands, which nobody can ask for by name.
    for (const provided of provides) if (!provided.includes(':')) aliases.add(provided);
    return [bare, version];
  });
  return { ...(architecture !== undefined && { architecture }), packages: dictionary(clean), aliases: [...aliases], complete: true };
}

/** Feeds as one; of equal names the later wins, as in the reference server. The first architecture that is known is the whole's. */
export function mergeFeeds(feeds: readonly FeedIndex[]): FeedIndex {
  const architecture = feeds.find((feed) => feed.architecture !== undefined)?.architecture;
  return {
    ...(architecture !== undefined && { architecture }),
    packages: dictionary(feeds.flatMap((feed) => Object.entries(feed.packages))),
    aliases: [...new Set(feeds.flatMap((feed) => feed.aliases))],
    complete: feeds.every((feed) => feed.complete),
  };
}

/** A target's packages (its kernel modules merged in) with the feeds of its architecture. */
export function packageIndex(target: FeedIndex, feeds: FeedIndex, arch: string): PackageIndex {
  return {
    architecture: target.architecture ?? feeds.architecture ?? arch,
    target: target.packages,
    feeds: feeds.packages,
    aliases: [...new Set([...target.aliases, ...feeds.aliases])],
    complete: target.complete && feeds.complete && Object.keys(target.packages).length > 0,
  };
}

/** `/json/v1/{path}/targets/{target}/index.json`: `{}` where upstream has no index (CONTRACT.md §6). */
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

/** What every image has, and ImageBuilder brings along where the feeds do not list it. */
const ALWAYS_KNOWN = new Set(['kernel', 'libc', 'base-files']);

const knownAliases = new WeakMap<PackageIndex, ReadonlySet<string>>();
const targetPackages = new WeakMap<TargetRecord, ReadonlySet<string>>();

/**
 * Which of the asked packages exist nowhere for this target, so that only a failing build could tell (CONTRACT.md §0.21). A removal is
 * never refused, and nothing is where the index is not complete: a wrong refusal locks a user out, a late one costs a build.
 * `suggestions` has the names that come close, for those where there are any.
 */
export function unknownPackages(
  asked: readonly string[],
  index: PackageIndex,
  record: TargetRecord,
): { missing: string[]; suggestions: Record<string, string[]> } {
  if (!index.complete) return { missing: [], suggestions: {} };
  const aliases = remembered(knownAliases, index, () => new Set(index.aliases));
  const carried = remembered(targetPackages, record, () => namesCarried(record));
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
  return { missing: unique, suggestions: suggest(unique, index) };
}

/** Default packages and those of every device: their names stand in ImageBuilder itself, whatever the feeds say. */
function namesCarried(record: TargetRecord): ReadonlySet<string> {
  const names = [...record.defaultPackages, ...Object.values(record.profiles).flatMap((profile) => profile.devicePackages)];
  return new Set(names.filter((name) => !name.startsWith('-')));
}

/** Names looked for at most: beyond, the request is no slip of the keyboard. */
const MAX_SUGGESTED_FOR = 10;
const MAX_SUGGESTIONS = 3;

/** What packages that are gone were replaced with. */
const SUCCESSORS: ReadonlyMap<string, string> = new Map(
  PACKAGE_RULES.flatMap(({ action }) => (action.kind === 'replace' ? [[action.from, action.to]] : [])),
);

function suggest(missing: readonly string[], index: PackageIndex): Record<string, string[]> {
  const found: [string, string[]][] = [];
  if (missing.length > 0) {
    const candidates = [...Object.keys(index.target), ...Object.keys(index.feeds)];
    for (const name of missing.slice(0, MAX_SUGGESTED_FOR)) {
      const successor = SUCCESSORS.get(name);
      const close = successor !== undefined && candidates.includes(successor) ? [successor] : closest(name, candidates);
      if (close.length > 0) found.push([name, close]);
    }
  }
  return Object.fromEntries(found);
}

/** The names with the fewest changes, when those are few. */
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

/** A bit for each letter that occurs: a change takes away one at most, so most candidates need no closer look. */
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

/** Levenshtein distance, or a number above `limit` where it is larger: only the band of the matrix within `limit` is computed. */
function editDistance(a: string, b: string, limit: number): number {
  const beyond = limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current: number[] = new Array(b.length + 1).fill(beyond);
    if (row <= limit) current[0] = row;
    let best = current[0] ?? beyond;
    for (let column = Math.max(1, row - limit); column <= Math.min(b.length, row + limit); column++) {
      const replaced = (previous[column - 1] ?? beyond) + (a.charCodeAt(row - 1) === b.charCodeAt(column - 1) ? 0 : 1);
      const cost = Math.min(replaced, (previous[column] ?? beyond) + 1, (current[column - 1] ?? beyond) + 1);
      current[column] = cost;
      best = Math.min(best, cost);
    }
    if (best > limit) return beyond;
    previous = current;
  }
  return previous[b.length] ?? beyond;
}

function parseParagraph(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith(' ') && !line.startsWith('\t')) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** `libfoo (= 1.0), @virtual` → `libfoo`, `virtual`. */
const parseProvides = (list: string): string[] =>
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

function remembered<K extends object, V>(memory: WeakMap<K, V>, key: K, make: () => V): V {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  memory.set(key, made);
  return made;
}
