import { type Branch, branchOf, versionPath } from '#core/catalogue/branches.ts';
import type { Catalogue, TargetRecord } from '#core/catalogue/catalogue.ts';
import { isKnownVersion } from '#core/catalogue/versions.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import { isSkipped } from '#core/package-changes/canonical-packages.ts';
import { type PackageChange, type ResolvedPackages, resolvePackages } from '#core/package-changes/resolve-packages.ts';
import type { Warning } from '#core/warning.ts';
import type { BuildRequest } from './build-request.ts';
import type { DistroOffer } from './distro-offer.ts';
import { type DefaultPackages, ownPackages, withoutRemoved } from './image-packages.ts';
import { resolveProfile } from './resolve-profile.ts';

export interface HonouredDefaults {
  readonly list: ResolvedPackages;
  readonly warnings: readonly Warning[];
}

/**
 * Returns the list with the packages that upstream has added to the default ones, of the target or of the device, since
 * `from_version`. A request with a whole list (`diff_packages`) would lose them. A package is not added if the list names
 * or removes it, or if it is what a default package of the old version is called now: the list lacks that one on purpose.
 * Where the two versions cannot be compared, nothing is added, and a warning says why.
 */
export async function honourDefaults(
  offer: DistroOffer,
  request: BuildRequest,
  record: TargetRecord,
  list: ResolvedPackages,
): Promise<HonouredDefaults> {
  if (!request.diff_packages) return { list, warnings: [] };
  const before = await recordBefore(offer, request, record);
  if (typeof before === 'string') return { list, warnings: [notCompared(before)] };

  const { fromVersion } = before;
  const renamed = resolvePackages({ ...request, fromVersion, packages: before.packages, packagesVersions: {} }).packages;
  const isNamed = new Set([...list.packages, ...before.packages, ...renamed]);
  const own = new Set(ownPackages(record, request.profile));
  const added = defaultsOf(record, request.profile).filter((name) => !isNamed.has(name) && !isNamed.has(`-${name}`));
  const changes = added.map((name): PackageChange => {
    const place = own.has(name) ? 'packages of this device' : 'default packages of this target';
    const reason = `Upstream added this package to the ${place} between ${fromVersion} and ${request.version} (honor_defaults).`;
    return { type: 'addition', action: 'add', package: name, reason, automatic: true };
  });
  return { list: { ...list, packages: [...list.packages, ...added], changes: [...list.changes, ...changes] }, warnings: [] };
}

const defaultsOf = (record: DefaultPackages, profile: string): string[] =>
  withoutRemoved([...record.defaultPackages, ...ownPackages(record, profile)]).filter((name) => !isSkipped(name));

/** Returns the packages that the old version installs by default on the device, or why they are not known. */
async function recordBefore(
  { catalogue, branches }: DistroOffer,
  { from_version: fromVersion, version, target, profile }: BuildRequest,
  record: TargetRecord,
): Promise<{ readonly fromVersion: string; readonly packages: readonly string[] } | string> {
  if (fromVersion === undefined || fromVersion === '') return 'the request does not say from which version (from_version)';
  if (fromVersion === version && version.endsWith('SNAPSHOT'))
    return `${version} moves, and the default packages of the one on the device are no longer known`;
  if (fromVersion === version) return { fromVersion, packages: defaultsOf(record, profile) };
  const old = await readOld(catalogue, branches, fromVersion, target);
  if (typeof old === 'string') return old;
  const names = [profile, ...(record.profiles[profile]?.supportedDevices ?? [])];
  const device = names.map((name) => resolveProfile(old, name)).find((found) => found !== undefined);
  return device === undefined ? `${fromVersion} does not have the device` : { fromVersion, packages: defaultsOf(old, device) };
}

async function readOld(catalogue: Catalogue, branches: readonly Branch[], version: string, target: string): Promise<TargetRecord | string> {
  // The server no longer builds for a disabled branch, but its versions may still be on devices.
  const readable = branches.map((branch) => ({ ...branch, enabled: true }));
  const branch = branchOf(version, readable);
  const unknown = `upstream does not have ${target} of ${version}`;
  try {
    if (branch === undefined || !isKnownVersion(version, await catalogue.versions(), readable)) return unknown;
    return (await catalogue.target(version, versionPath(version, branch), target)) ?? unknown;
  } catch (error) {
    if (error instanceof UpstreamUnavailableError) return `upstream does not answer about ${version}`;
    throw error;
  }
}

const notCompared = (reason: string): Warning => ({
  code: 'defaults_not_compared',
  severity: 'strong',
  detail: `The package list replaces the default packages, and nothing was added to it (honor_defaults): ${reason}.`,
});
