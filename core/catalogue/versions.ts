import { type Branch, branchOf } from './branches.ts';
import type { UpstreamVersions } from './catalogue.ts';

interface Ordinal {
  /** Newest kinds highest: the main line, names without numbers, numbered versions. */
  readonly kind: 2 | 1 | 0;
  readonly numbers: readonly number[];
  /** Within one number: branch snapshot, release candidates by number, release. */
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
 * Order of versions, newest first: SNAPSHOT, then by number (23.05.10 above 23.05.2), a release above its candidates, and a
 * branch's `-SNAPSHOT` below its versions, where the reference server puts it. Total: 0 only for equal strings.
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

/** Versions the server knows: of enabled branches, without repetition, newest first. Same sources as asu/util.py reload_versions. */
export function knownVersions(upstream: UpstreamVersions, branches: readonly Branch[]): readonly string[] {
  const remembered = known.get(upstream);
  if (remembered?.branches === branches) return remembered.versions;
  const branchSnapshots = branches.filter(({ name }) => name !== 'SNAPSHOT').map(({ name }) => `${name}-SNAPSHOT`);
  const versions = supported([upstream.upcoming, ...upstream.list, 'SNAPSHOT', ...branchSnapshots], branches);
  known.set(upstream, { branches, versions });
  return versions;
}

/** Every request asks; both lists are replaced, never changed. */
const known = new WeakMap<UpstreamVersions, { branches: readonly Branch[]; versions: readonly string[] }>();

/**
 * The newest versions that upstream recommends, newest first: LuCI walks the list until it meets the running version
 * (docs/contract.md §9), so a release candidate must not stand above the release that followed it.
 */
export function latestVersions(upstream: UpstreamVersions, branches: readonly Branch[]): string[] {
  return supported([upstream.upcoming, upstream.stable, upstream.oldstable], branches);
}

function supported(versions: readonly (string | undefined)[], branches: readonly Branch[]): string[] {
  const kept = versions.filter((version) => version !== undefined && version !== '' && branchOf(version, branches)?.enabled);
  return [...new Set(kept as string[])].sort(compareVersions);
}
