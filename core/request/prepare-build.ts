import { outdatedVersions } from '#core/catalogue/outdated-versions.ts';
import { unknownPackages } from '#core/catalogue/package-index.ts';
import { type ResolvedPackages, resolvePackages } from '#core/package-changes/resolve-packages.ts';
import { withoutSkipped } from '#core/package-changes/without-skipped.ts';
import type { BuildRequest } from './build-request.ts';
import { declaredConflicts } from './declared-conflicts.ts';
import { offerOf } from './distro-offer.ts';
import { essentialPackages } from './essential-packages.ts';
import { type HonouredDefaults, honourDefaults } from './honour-defaults.ts';
import type { PreparationMemory } from './preparation-memory.ts';
import type { PreparedBuild } from './prepared-build.ts';
import { inputsDigest, requestHash } from './request-hash.ts';
import { type ValidateRequestDeps, type ValidRequest, validateRequest } from './validate-request.ts';

export interface PrepareBuildDeps extends ValidateRequestDeps {
  /** What the process remembers between requests. Without it everything is made again for each request. */
  readonly memory?: PreparationMemory;
}

export interface PrepareBuildOptions {
  /**
   * Takes the packages as they are: `packages` if there are any, else the names in `packages_versions`, which then only
   * verifies.
   */
  readonly skipResolution?: boolean;
  /** Whether `honor_defaults` of the request counts. Default: unless the resolution is skipped. */
  readonly honoursDefaults?: boolean;
  /** Asks upstream for the target again, unless that happened a moment ago. */
  readonly fresh?: boolean;
  /** See `Freshness`. */
  readonly changedAt?: Date;
}

/**
 * Validates, resolves and identifies a request without side effects. Before it calls a package missing, its required
 * version outdated, or an ImageBuilder not published, it asks upstream once more: it may be newer than the server's copy. Throws what `validateRequest` throws.
 */
export async function prepareBuild(
  deps: PrepareBuildDeps,
  request: BuildRequest,
  options: PrepareBuildOptions = {},
): Promise<PreparedBuild> {
  const prepared = await prepareFrom(deps, request, options);
  const { imagebuilder, foreignImagebuilder } = prepared.valid.record;
  const isPublished = imagebuilder !== undefined || foreignImagebuilder !== undefined;
  const isPossible = isPublished && prepared.missing.length === 0 && prepared.outdated.length === 0;
  return isPossible || options.fresh ? prepared : prepareFrom(deps, request, { ...options, fresh: true });
}

async function prepareFrom(
  deps: PrepareBuildDeps,
  request: BuildRequest,
  { skipResolution = false, honoursDefaults = !skipResolution, ...freshness }: PrepareBuildOptions,
): Promise<PreparedBuild> {
  const valid = await validateRequest(deps, request, freshness);
  const isHonouring = honoursDefaults && request.honor_defaults === true;
  // A list with the new defaults also depends on the record of the old version, which the memory does not look at.
  const recalled = isHonouring ? undefined : deps.memory?.recall(request, skipResolution, valid);
  if (recalled !== undefined) return { ...recalled, valid };
  const asked = valid.request;
  const listed = skipResolution ? asListed(asked) : resolveRequest(asked, valid, deps.memory);
  const honoured = isHonouring ? await withNewDefaults(deps, asked, valid, listed) : { list: listed, warnings: [] };
  const { missing, suggestions } = missingPackages(asked, honoured.list.packages, valid, deps.memory);
  const { packages, packagesVersions, changes } = withoutSkipped(honoured.list);
  const resolved: BuildRequest = { ...asked, packages: [...packages], packages_versions: { ...packagesVersions } };
  const outdated =
    hasOwnRepositories(asked) || valid.index === undefined ? [] : outdatedVersions(packagesVersions, valid.index, deps.memory);
  const inputs = deps.memory?.inputs(valid.record) ?? inputsDigest(valid.record);
  const hash = requestHash(resolved, valid.record.revision, inputs);
  const warnings = [
    ...honoured.warnings,
    ...essentialPackages(resolved, valid.record, valid.index),
    ...declaredConflicts(resolved, valid.record, valid.index),
  ];
  const made = { asked, resolved, changes, missing, suggestions, outdated, warnings, inputs, hash };
  if (!isHonouring) deps.memory?.remember(request, skipResolution, valid, made);
  return { ...made, valid };
}

function resolveRequest(asked: BuildRequest, valid: ValidRequest, memory: PreparationMemory | undefined): ResolvedPackages {
  const { packages_versions: packagesVersions, from_version: fromVersion, ...request } = asked;
  const isOffered = (name: string) => missingPackages(asked, [name], valid, memory).missing.length === 0;
  return resolvePackages({ ...request, packagesVersions, fromVersion, isOffered });
}

function withNewDefaults(
  { catalogue, policy: { branches }, others }: PrepareBuildDeps,
  asked: BuildRequest,
  { record }: ValidRequest,
  listed: ResolvedPackages,
): Promise<HonouredDefaults> {
  return honourDefaults(offerOf(asked.distro, { catalogue, branches }, others), asked, record, listed);
}

function asListed(request: BuildRequest): ResolvedPackages {
  const packages = request.packages.length > 0 ? request.packages : Object.keys(request.packages_versions);
  return { packages, packagesVersions: request.packages_versions, changes: [] };
}

const hasOwnRepositories = ({ repositories }: BuildRequest): boolean => Object.keys(repositories).length > 0;

/** Returns nothing for a request with repositories of its own: only the build can tell what exists there. */
function missingPackages(
  request: BuildRequest,
  packages: readonly string[],
  { index, record }: ValidRequest,
  memory: PreparationMemory | undefined,
) {
  if (index === undefined || hasOwnRepositories(request)) return { missing: [], suggestions: {} };
  return unknownPackages(packages, index, record, memory);
}
