import { JsonLimitError, readJson } from '#lib/read-json.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';
import type { LinuxKernel, Profile, UpstreamVersions } from './catalogue.ts';
import { DEFAULT_IMAGEBUILDER_PREFIX } from './distro.ts';

/**
 * Upstream served something else than the file: an HTML page, a truncated or a foreign document. An earlier copy is
 * better.
 */
export class MalformedFileError extends Error {
  override readonly name = 'MalformedFileError';
  readonly reason: string;
  constructor(what: string, why: string, options?: ErrorOptions) {
    super(`${what} from upstream cannot be used: ${why}`, options);
    this.reason = why;
  }
}

/** The content of a target's `profiles.json`. */
export interface TargetProfiles {
  /** `version_code`, empty if upstream has none. */
  readonly revision: string;
  /** `arch_packages`. */
  readonly arch?: string;
  readonly kernel?: LinuxKernel;
  readonly defaultPackages: readonly string[];
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const TARGET = /^\w+\/\w+$/;
const ARCH = /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/;
const PROFILE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const FEED = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const DIGEST_LINE = /^([0-9a-f]{64}) [ *](\S.*)$/;
const MAX_DIGEST_LINE = 4_096;
/** OpenWrt has five feeds. Each costs one to three requests. */
const MAX_FEEDS = 64;
const IMAGEBUILDER = /-imagebuilder-.*x86_64\.tar\.(?:xz|zst)$/;
const TARBALL = /x86_64\.tar\.(?:xz|zst)$/;

const VERSIONS_KEYS = ['stable_version', 'oldstable_version', 'upcoming_version', 'versions_list'];

/**
 * The limits of upstream's JSON documents: five times the values of the largest, the `index.json` of a feed and the
 * `profiles.json` of a target with 400 devices, and far more nesting.
 */
const JSON_LIMITS = { maxDepth: 32, maxValues: 120_000 };
/** The target with most profiles has about 400. */
const MAX_PROFILES = 10_000;

/**
 * Reads `.versions.json`. Every key is optional, and a value of the wrong type counts as absent. Without any key it is
 * another file.
 */
export function* parseVersions(text: string): Sliced<UpstreamVersions> {
  const file = yield* parseObject('.versions.json', text);
  if (!VERSIONS_KEYS.some((key) => Object.hasOwn(file, key))) throw new MalformedFileError('.versions.json', 'it says nothing of versions');
  const version = (key: string) => asMatch(file[key], VERSION);
  const stable = version('stable_version');
  const oldstable = version('oldstable_version');
  const upcoming = version('upcoming_version');
  return {
    ...(stable !== undefined && { stable }),
    ...(oldstable !== undefined && { oldstable }),
    ...(upcoming !== undefined && { upcoming }),
    list: strings(file['versions_list']).filter((entry) => VERSION.test(entry)),
  };
}

/**
 * Reads `.targets.json`: target → package architecture. Entries of another shape are dropped. If all are, it is another
 * file.
 */
export function* parseTargets(text: string): Sliced<Readonly<Record<string, string>>> {
  const entries = Object.entries(yield* parseObject('.targets.json', text));
  const targets = entries.filter((entry): entry is [string, string] => TARGET.test(entry[0]) && asMatch(entry[1], ARCH) !== undefined);
  if (targets.length === 0 && entries.length > 0) throw new MalformedFileError('.targets.json', 'it names no targets');
  return dictionary(targets);
}

/**
 * Reads a target's `profiles.json`. A profile of another shape is dropped, and a file without `profiles` is malformed.
 */
export function* parseProfiles(text: string): Sliced<TargetProfiles> {
  const { profiles: listed, ...metadata } = yield* parseObject('profiles.json', text);
  const profiles = asObject(listed);
  if (profiles === undefined) throw new MalformedFileError('profiles.json', 'it lists no profiles');
  const ids = Object.keys(profiles);
  if (ids.length > MAX_PROFILES) throw new MalformedFileError('profiles.json', `it lists more than ${MAX_PROFILES} profiles`);
  const arch = asMatch(metadata['arch_packages'], ARCH);
  const kernel = asKernel(metadata['linux_kernel']);
  return {
    revision: asMatch(metadata['version_code'], VERSION) ?? '',
    ...(arch !== undefined && { arch }),
    ...(kernel !== undefined && { kernel }),
    defaultPackages: strings(metadata['default_packages']),
    profiles: dictionary(Object.entries(profiles).flatMap(([id, raw]) => asProfile(id, raw))),
    metadata,
  };
}

/**
 * Reads `sha256sums`: file name → digest. A line of another shape means that the file is cut off or is another file.
 * Then a missing digest proves nothing.
 */
export function* parseDigests(text: string): Sliced<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  let lines = 0;
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    if (++lines % PIECE === 0) yield;
    const newline = text.indexOf('\n', start);
    end = newline === -1 ? text.length : newline;
    if (end === start) continue;
    if (end - start > MAX_DIGEST_LINE) throw new MalformedFileError('sha256sums', 'a line is no digest and name');
    const [, digest, name] = DIGEST_LINE.exec(text.slice(start, end)) ?? [];
    if (digest === undefined || name === undefined) throw new MalformedFileError('sha256sums', 'a line is no digest and name');
    digests.set(name, digest);
  }
  if (digests.size === 0) throw new MalformedFileError('sha256sums', 'it is empty');
  return digests;
}

/**
 * Returns the ImageBuilder among the files of a target whose name begins with the prefix of a distribution. The name
 * comes from there and is never composed (docs/imagebuilder.md §8).
 */
export function imagebuilderOf(
  digests: ReadonlyMap<string, string>,
  prefix: string = DEFAULT_IMAGEBUILDER_PREFIX,
): { name: string; sha256: string } | undefined {
  for (const [name, sha256] of digests) if (name.startsWith(prefix) && TARBALL.test(name) && PROFILE.test(name)) return { name, sha256 };
  return undefined;
}

/** Returns the name of any ImageBuilder among the files of a target, whatever distribution it belongs to. */
export const anyImagebuilder = (digests: ReadonlyMap<string, string>): string | undefined =>
  [...digests.keys()].find((name) => IMAGEBUILDER.test(name) && PROFILE.test(name));

/**
 * Reads `feeds.conf` of an architecture: the names of the feeds, the second word of each line (asu/util.py, get_feeds).
 */
export function parseFeeds(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const feeds = lines.flatMap((line) => (line.startsWith('src-') ? (asMatch(line.split(/\s+/)[1], FEED) ?? []) : []));
  if (feeds.length === 0 && lines.length > 0) throw new MalformedFileError('feeds.conf', 'no line names a feed');
  const unique = [...new Set(feeds)];
  if (unique.length > MAX_FEEDS) throw new MalformedFileError('feeds.conf', `it names more than ${MAX_FEEDS} feeds`);
  return unique;
}

/** Returns a record without prototype, so that a name such as `constructor` is in it only if it was added. */
export function dictionary<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const out = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) out[key] = value;
  return out;
}

/** Parses a JSON document that must be an object, within limits of nesting and size. */
export function* parseObject(what: string, text: string): Sliced<Record<string, unknown>> {
  let value: unknown;
  try {
    value = yield* readJson(text, JSON_LIMITS);
  } catch (cause) {
    throw new MalformedFileError(what, cause instanceof JsonLimitError ? cause.message : 'it is no JSON', { cause });
  }
  const object = asObject(value);
  if (object === undefined) throw new MalformedFileError(what, 'it is no JSON object');
  return object;
}

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

const asMatch = (value: unknown, pattern: RegExp): string | undefined =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string' && entry !== '') : [];

function asKernel(value: unknown): LinuxKernel | undefined {
  const kernel = asObject(value) ?? {};
  const version = asMatch(kernel['version'], VERSION);
  const release = asMatch(kernel['release'], VERSION);
  const vermagic = asMatch(kernel['vermagic'], VERSION);
  return version !== undefined && release !== undefined && vermagic !== undefined ? { version, release, vermagic } : undefined;
}

function asProfile(id: string, value: unknown): [string, Profile][] {
  const raw = asObject(value);
  if (raw === undefined || !PROFILE.test(id)) return [];
  return [[id, { id, devicePackages: strings(raw['device_packages']), supportedDevices: strings(raw['supported_devices']), raw }]];
}
