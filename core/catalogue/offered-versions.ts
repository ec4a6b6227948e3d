import { type Branch, branchOf, versionPath } from './branches.ts';
import type { Catalogue, Freshness, UpstreamVersions } from './catalogue.ts';
import { compareVersions, isKnownVersion, knownVersions, latestVersions } from './versions.ts';

/** Returns the versions that the server offers and that upstream has, newest first. */
export const offeredVersions = async (catalogue: Catalogue, branches: readonly Branch[]): Promise<string[]> =>
  thoseOfUpstream(catalogue, knownVersions(await catalogue.versions(), branches), branches);

/** Returns the versions that upstream recommends, offers and has, newest first. */
export const offeredLatest = async (catalogue: Catalogue, branches: readonly Branch[]): Promise<string[]> =>
  thoseOfUpstream(catalogue, latestVersions(await catalogue.versions(), branches), branches);

/** Returns whether the server offers the version and upstream has it. Upstream is asked once more before the answer is no. */
export async function isOfferedVersion(catalogue: Catalogue, version: string, branches: readonly Branch[]): Promise<boolean> {
  const isOffered = async (freshness?: Freshness) =>
    isKnownVersion(version, await catalogue.versions(freshness), branches) && (await isAtUpstream(catalogue, version, branches, freshness));
  return (await isOffered()) || isOffered({ fresh: true });
}

/**
 * Returns whether upstream names the version and no newer one of its branch. If upstream does not have it, it is not there
 * yet; an older one is no longer there.
 */
export function isAnnounced(version: string, upstream: UpstreamVersions, branches: readonly Branch[]): boolean {
  const branch = branchOf(version, branches);
  const named = [upstream.stable, upstream.oldstable, upstream.upcoming, ...upstream.list].filter((one) => one !== undefined);
  const isNewer = (one: string) => branchOf(one, branches) === branch && compareVersions(one, version) < 0;
  return branch !== undefined && named.includes(version) && !named.some(isNewer);
}

async function thoseOfUpstream(catalogue: Catalogue, versions: readonly string[], branches: readonly Branch[]): Promise<string[]> {
  const found = await Promise.all(versions.map((version) => isAtUpstream(catalogue, version, branches)));
  return versions.filter((_, index) => found[index]);
}

/**
 * Returns whether upstream has the version. The other versions are those that upstream names itself; the snapshot of a
 * branch is the server's guess, and upstream deletes it when the branch is old.
 */
async function isAtUpstream(catalogue: Catalogue, version: string, branches: readonly Branch[], freshness?: Freshness): Promise<boolean> {
  const branch = version.endsWith('-SNAPSHOT') ? branchOf(version, branches) : undefined;
  return branch === undefined || catalogue.hasVersion(versionPath(version, branch), freshness);
}
