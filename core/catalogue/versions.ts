import { type Branch, branchOf, versionPath } from './branches.ts';
import type { UpstreamVersions } from './catalogue.ts';

interface Ordinal {
  /** Newest kinds highest: the main line, names without numbers, numbered versions. */
  readonly kind: 2 | 1 | 0;
  readonly numbers: readonly number[];
  /** The order within one number: branch snapshot, release candidates by number, release. */
  readonly stage: number;
}

const NUMBERED = /^(\d+(?:\.\d+)*)(?:-(?:(SNAPSHOT)|rc(\d+)))?$/;

function ordinal(version: string): Ordinal {
  if (version === 'SNAPSHOT') return { kind: 2, numbers: [], stage: 0 };
  const match = NUMBERED.exec(version);
  if (match === null) return { kind: 1, numbers: [], stage: 0 };
  const [, numbers = '', snapshot, candidate] = match;
  const stage = snapshot !== undefined ? -1 : candidate !== undefined ? Number(candidate) : Number.POSITIVE_INFINITY;
  return { kind: 0, numbers: numbers.split('.').map(Number), stage };
}

const descending = <T extends number | string>(a: T, b: T): number => (a < b ? 1 : a > b ? -1 : 0);

/**
 * Compares versions so that the newest comes first: SNAPSHOT, then by number (23.05.10 above 23.05.2), a release above
 * its candidates, and a branch's `-SNAPSHOT` below its versions, where the reference server puts it. Total: 0 only for
 * equal strings.
 */
export function compareVersions(a: string, b: string): number {
  const left = ordinal(a);
  const right = ordinal(b);
  if (left.kind !== right.kind) return right.kind - left.kind;
  const places = Math.max(left.numbers.length, right.numbers.length);
  for (let i = 0; i < places; i++) {
    const order = descending(left.numbers[i] ?? -1, right.numbers[i] ?? -1);
    if (order !== 0) return order;
  }
  return descending(left.stage, right.stage) || descending(a, b);
}

/**
 * Returns the versions that the server offers: of enabled branches, without repetition, newest first. Same sources as
 * asu/util.py reload_versions.
 */
export const knownVersions = (upstream: UpstreamVersions, branches: readonly Branch[]): string[] =>
  offered(namedVersions(upstream, branches), branches);

/** Returns whether the server offers the version. Every build request asks, so no list is made or sorted for it. */
export function isKnownVersion(version: string, upstream: UpstreamVersions, branches: readonly Branch[]): boolean {
  const isNamed = version === 'SNAPSHOT' || version === upstream.upcoming || upstream.list.includes(version);
  return (isNamed || branches.some((branch) => branchSnapshot(branch) === version)) && isOffered(version, branches);
}

/**
 * Returns the newest version whose files are at the path below the upstream base; `undefined`: the server offers none
 * there.
 */
export function versionAt(path: string, upstream: UpstreamVersions, branches: readonly Branch[]): string | undefined {
  const isThere = (version: string, branch: Branch) =>
    versionPath(version, branch) === path && branchOf(version, branches) === branch && isKnownVersion(version, upstream, branches);
  const found = branches.flatMap((branch) => {
    const start = branch.path.indexOf('{version}');
    const isFixed = start === -1;
    if (!branch.enabled || (isFixed && branch.path !== path)) return [];
    const candidates = isFixed ? namedVersions(upstream, branches) : [path.slice(start).split('/', 1)[0]];
    return candidates.filter((version) => version !== undefined && isThere(version, branch));
  });
  return offered(found, branches)[0];
}

/**
 * Returns the newest versions that upstream recommends, newest first: LuCI walks the list until it meets the running
 * version (docs/contract.md §9), so a release candidate must not stand above the release that followed it.
 */
export const latestVersions = (upstream: UpstreamVersions, branches: readonly Branch[]): string[] =>
  offered([upstream.upcoming, upstream.stable, upstream.oldstable], branches);

/** Returns every name of a version that upstream or the map of branches gives, in no order. */
const namedVersions = (upstream: UpstreamVersions, branches: readonly Branch[]): (string | undefined)[] => [
  upstream.upcoming,
  ...upstream.list,
  'SNAPSHOT',
  ...branches.map(branchSnapshot),
];

const branchSnapshot = ({ name }: Branch): string | undefined => (name === 'SNAPSHOT' ? undefined : `${name}-SNAPSHOT`);

const isOffered = (version: string, branches: readonly Branch[]): boolean =>
  version !== '' && branchOf(version, branches)?.enabled === true;

function offered(versions: readonly (string | undefined)[], branches: readonly Branch[]): string[] {
  const found = versions.filter((version) => version !== undefined && isOffered(version, branches));
  return [...new Set(found as string[])].sort(compareVersions);
}
