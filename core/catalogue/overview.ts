import type { Branch } from './branches.ts';
import { branchOf, versionPath } from './branches.ts';
import type { Catalogue, KnownImagebuilder } from './catalogue.ts';
import { offeredLatest, offeredVersions } from './offered-versions.ts';
import { publishedPackageChanges } from './published-package-changes.ts';

/** The facts about the server that clients read, named as the reference server names them. */
export interface ServerFacts {
  readonly version: string;
  readonly contact: string;
  readonly allow_defaults: boolean;
  readonly repository_allow_list: readonly string[];
  readonly max_custom_rootfs_size_mb: number;
  readonly max_defaults_length: number;
}

/**
 * One branch as it is published. auc drops a branch in which a key is missing or has another type
 * (docs/contract.md §9).
 */
export type PublishedBranch = Omit<Branch, 'package_changes'> & {
  readonly package_changes?: readonly unknown[];
  readonly versions: readonly string[];
  readonly targets: Readonly<Record<string, string>>;
};

/** One branch in the overview. */
export type OverviewBranch = PublishedBranch & {
  /**
   * What the server knows of the ImageBuilders of the branch's targets, by target. Targets that it has not read are
   * absent, and so is the whole while it has read none.
   */
  readonly imagebuilders?: Readonly<Record<string, KnownImagebuilder>>;
};

export interface Overview {
  readonly latest: readonly string[];
  readonly branches: Readonly<Record<string, OverviewBranch>>;
  readonly upstream_url: string;
  readonly server: ServerFacts;
}

export interface OverviewDeps {
  readonly catalogue: Catalogue;
  readonly branches: readonly Branch[];
}

/**
 * Reads the content of `latest.json`: upcoming, stable and oldstable, without those that upstream does not name or the
 * server does not offer.
 */
export async function readLatest({ catalogue, branches }: OverviewDeps): Promise<{ latest: string[] }> {
  return { latest: await offeredLatest(catalogue, branches) };
}

/**
 * Reads the content of `branches.json`, in the operator's order. A branch whose targets cannot be read has none, and
 * the others are complete.
 */
export const readBranches = async (deps: OverviewDeps): Promise<PublishedBranch[]> =>
  (await branchesWithVersion(deps)).map(({ branch }) => branch);

/** Reads the branches, each with the path of the version whose targets it lists, if it lists any. */
async function branchesWithVersion({ catalogue, branches }: OverviewDeps): Promise<{ branch: PublishedBranch; path?: string }[]> {
  const known = await offeredVersions(catalogue, branches);
  return Promise.all(
    branches.map(async (branch) => {
      const versions = known.filter((version) => branchOf(version, branches)?.name === branch.name);
      const { name, package_changes: _, ...settings } = branch;
      const changes = publishedPackageChanges(branch);
      const { targets, ...place } = await targetsOf(catalogue, branch, versions);
      return { ...place, branch: { ...settings, ...(changes && { package_changes: changes }), versions, name, targets } };
    }),
  );
}

/** Reads the content of `overview.json`: all of the above, and what this server allows. */
export async function readOverview(deps: OverviewDeps, upstreamUrl: string, server: ServerFacts): Promise<Overview> {
  const [{ latest: newest }, branches] = await Promise.all([readLatest(deps), branchesWithVersion(deps)]);
  const complete = await Promise.all(branches.map(({ branch, path }) => withImagebuilders(deps, branch, path)));
  return {
    latest: newest,
    branches: Object.fromEntries(complete.map((branch) => [branch.name, branch])),
    upstream_url: upstreamUrl,
    server,
  };
}

async function withImagebuilders({ catalogue }: OverviewDeps, branch: PublishedBranch, path: string | undefined): Promise<OverviewBranch> {
  const known = (path !== undefined && (await catalogue.imagebuilders?.(path))) || {};
  const ofTargets = Object.entries(known).filter(([target]) => Object.hasOwn(branch.targets, target));
  if (ofTargets.length === 0) return branch;
  return { ...branch, imagebuilders: Object.fromEntries(ofTargets.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Returns the targets of the newest version that has any. A mirror may not have the very newest version yet. */
async function targetsOf(
  catalogue: Catalogue,
  branch: Branch,
  versions: readonly string[],
): Promise<{ path?: string; targets: Readonly<Record<string, string>> }> {
  for (const version of versions.slice(0, 3)) {
    const path = versionPath(version, branch);
    const targets = await catalogue.targets(path).catch(() => undefined);
    if (targets !== undefined && Object.keys(targets).length > 0) return { path, targets };
  }
  return { targets: {} };
}
