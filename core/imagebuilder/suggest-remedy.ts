import { similarNames } from '#core/catalogue/package-index.ts';
import type { BuildProblem } from './failure-analysis.ts';
import { nameOf } from './opkg-errors.ts';

/** The facts about a failed build that decide which remedy fits. */
export interface RemedyFacts {
  /** The words of the request. */
  readonly asked: ReadonlySet<string>;
  /** The packages that the image has without being asked for. */
  readonly isDefault: ReadonlySet<string>;
  /** The names of the packages that there are. Empty if they are not known. */
  readonly names: readonly string[];
  readonly filesystem: string | null;
  readonly filesystems: readonly string[];
  readonly sufficientSizeMb?: number | undefined;
}

/** Returns what the client can do about a problem, in words for people; `undefined` where nothing is known to help. */
export function suggestionFor(problem: BuildProblem, facts: RemedyFacts): string | undefined {
  switch (problem.code) {
    case 'package_missing':
      return problem.providers === undefined ? forUnknown(problem.packages[0] ?? '', facts) : choiceOf(problem.providers);
    case 'dependency_missing':
      return forDependency(problem.packages[0] ?? '', problem.dependency, facts);
    case 'package_conflict':
      return problem.needed === undefined ? forRivals(problem.packages, facts) : forVersion(problem.needed, problem.needed_by ?? '', facts);
    case 'file_clash':
      return forRivals(problem.packages, facts);
    case 'package_uninstallable':
    case 'script_failed':
      return `Leave out ${problem.packages.join(', ')}.`;
    case 'files_missing':
      return 'Leave out the package that brings them.';
    case 'version_mismatch':
      return problem.found === undefined
        ? `Take ${problem.packages[0]} out of packages_versions, or add it to the image.`
        : `Require ${problem.found}, or no version of ${problem.packages[0]}.`;
    case 'image_too_big':
      return forSize(problem, facts);
    case 'no_images':
      return facts.filesystem === null ? undefined : 'Leave out filesystem, or pick another one.';
    case 'filesystem_unavailable':
      return problem.available.length === 0 ? undefined : `Ask for one of ${problem.available.join(', ')}, or for none.`;
    case 'profile_missing':
      return 'Ask for a profile that upstream lists for this version and target.';
    case 'repository_untrusted':
      return `Give the public key of ${problem.repository} in repository_keys.`;
    case 'repository_not_found':
      return `Correct the address of ${problem.repository}: it has to name the directory of a package index, or for apk the index itself.`;
    case 'repositories_replaced':
      return 'Set repositories_mode to append.';
    case 'signature_invalid':
    case 'checksum_mismatch':
      return 'Ask again in a few minutes: upstream is probably being updated.';
    case 'download_failed':
      return `Ask again in a few minutes: the server could not read ${fileOf(problem)}.`;
  }
}

const choiceOf = (providers: readonly string[]): string => `Choose one of ${providers.join(', ')}.`;

function forUnknown(name: string, { names, asked }: RemedyFacts): string {
  const word = withoutAbi(name);
  // Only apk's ImageBuilder reads the words of a request like that.
  if (!asked.has(name) && word !== name && asked.has(word))
    return `The ImageBuilder reads ${word} as ${name}, which no package is called. Ask for a package that provides ${word} by its own name.`;
  const similar = similarNames(name, names);
  return similar.length === 0 ? `Leave out ${name}, or correct its name.` : `Ask for ${similar.join(' or ')} instead.`;
}

function forDependency(asked: string, dependency: string, facts: RemedyFacts): string {
  const name = nameOf(dependency).split(/[<>=~]/, 1)[0] ?? '';
  if (name === 'kernel') return `Leave out ${asked}, or ask again later: its feed is made for another kernel than the image has.`;
  const isThere = facts.names.includes(name);
  return isThere ? `Leave out ${asked}, or ask again later: ${name} is only there in another version.` : `Leave out ${asked}.`;
}

function forVersion(needed: string, neededBy: string, { asked }: RemedyFacts): string {
  return isAmong(asked, neededBy)
    ? `Leave out ${neededBy}, or ask again later: it needs ${needed}.`
    : `Ask again later, or leave out what needs ${neededBy}: it needs ${needed}.`;
}

/** Names with and without the ABI version mean the same package: `libubox20260213`, `libubox`. */
const withoutAbi = (name: string): string => name.replace(/\d+$/, '');
const isAmong = (names: ReadonlySet<string>, name: string): boolean => names.has(name) || names.has(withoutAbi(name));

/** Without these no device starts, or can be reached. */
const NEVER_REMOVED = new Set(['base-files', 'busybox', 'fstools', 'kernel', 'libc', 'netifd', 'procd', 'ubox', 'ubus', 'ubusd', 'uci']);

/**
 * Returns what helps where two packages cannot be in one image: the client removes the one that is there by default, or
 * leaves out one that the request names.
 */
function forRivals(packages: readonly string[], { asked, isDefault }: RemedyFacts): string | undefined {
  const [first, second] = packages;
  if (first === undefined) return undefined;
  if (second === undefined) return `Leave out ${first}.`;
  const spare = packages.filter((name) => isAmong(isDefault, name) && !isAmong(asked, name) && !NEVER_REMOVED.has(name));
  const [removed] = spare;
  if (removed !== undefined && spare.length === 1)
    return `Add -${removed} to the packages: ${removed} is there by default, and cannot be beside ${packages.find((name) => name !== removed)}.`;
  const own = packages.filter((name) => isAmong(asked, name));
  if (own.length === 1) return `Leave out ${own[0]}, or the package that needs ${packages.find((name) => name !== own[0])}.`;
  return own.length > 1 ? `Leave out ${own.join(' or ')}.` : 'Leave out a package that needs one of them.';
}

function forSize(
  problem: Extract<BuildProblem, { code: 'image_too_big' }>,
  { filesystem, filesystems, sufficientSizeMb }: RemedyFacts,
): string {
  const others = filesystems.filter((name) => name !== filesystem);
  const larger = sufficientSizeMb === undefined ? 'set a larger rootfs_size_mb' : `set rootfs_size_mb to ${sufficientSizeMb}`;
  const remedies = [
    `Leave out packages${excessOf(problem)}`,
    ...(problem.setting === 'rootfs_size_mb' ? [larger] : []),
    ...(problem.part === 'rootfs' && filesystem !== null && others.length > 0 ? [`pick another filesystem (${others.join(', ')})`] : []),
  ];
  return `${remedies.join(', or ')}.`;
}

const EXCESS = /\bhave (\d+) bytes more than\b/;

function excessOf({ size, limit, message }: Extract<BuildProblem, { code: 'image_too_big' }>): string {
  const excess = size !== undefined && limit !== undefined ? size - limit : Number(EXCESS.exec(message)?.[1] ?? 0);
  return excess > 0 ? `: ${excess} bytes are too many` : '';
}

function fileOf({ url, feed, packages = [] }: Extract<BuildProblem, { code: 'download_failed' }>): string {
  if (feed !== undefined) return `the feed ${feed}`;
  return url ?? (packages.length > 0 ? `the package ${packages.join(', ')}` : 'a file');
}
