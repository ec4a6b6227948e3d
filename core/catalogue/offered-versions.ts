import { type Branch, branchOf, versionPath } from './branches.ts';
import type { Catalogue, Freshness } from './catalogue.ts';
import { isKnownVersion, knownVersions, latestVersions } from './versions.ts';

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
