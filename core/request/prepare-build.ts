import { outdatedVersions } from '#core/catalogue/outdated-versions.ts';
import { unknownPackages } from '#core/catalogue/package-index.ts';
import { type ResolvedPackages, resolvePackages } from '#core/package-changes/resolve-packages.ts';
import { withoutSkipped } from '#core/package-changes/without-skipped.ts';
import type { BuildRequest } from './build-request.ts';
import { declaredConflicts } from './declared-conflicts.ts';
import { essentialPackages } from './essential-packages.ts';
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
  /** Asks upstream for the target again, unless that happened a moment ago. */
  readonly fresh?: boolean;
  /** See `Freshness`. */
  readonly changedAt?: Date;
}

/**
 * Validates, resolves and identifies a request without side effects. Before it calls a package missing, or its required
 * version outdated, it asks upstream once more: the package may be newer than the server's copy. Throws what `validateRequest` throws.
 */
export async function prepareBuild(
  deps: PrepareBuildDeps,
  request: BuildRequest,
  options: PrepareBuildOptions = {},
): Promise<PreparedBuild> {
  const prepared = await prepareFrom(deps, request, options);
  const isPossible = prepared.missing.length === 0 && prepared.outdated.length === 0;
  return isPossible || options.fresh ? prepared : prepareFrom(deps, request, { ...options, fresh: true });
}

async function prepareFrom(
  deps: PrepareBuildDeps,
  request: BuildRequest,
  { skipResolution = false, ...freshness }: PrepareBuildOptions,
): Promise<PreparedBuild> {
  const valid = await validateRequest(deps, request, freshness);
  const recalled = deps.memory?.recall(request, skipResolution, valid);
  if (recalled !== undefined) return { ...recalled, valid };
  const asked = valid.request;
  const listed = skipResolution ? asListed(asked) : resolveRequest(asked);
  const { missing, suggestions } = missingPackages(asked, listed.packages, valid, deps.memory);
  const { packages, packagesVersions, changes } = withoutSkipped(listed);
  const resolved: BuildRequest = { ...asked, packages: [...packages], packages_versions: { ...packagesVersions } };
  const outdated =
    hasOwnRepositories(asked) || valid.index === undefined ? [] : outdatedVersions(packagesVersions, valid.index, deps.memory);
  const inputs = deps.memory?.inputs(valid.record) ?? inputsDigest(valid.record);
  const hash = requestHash(resolved, valid.record.revision, inputs);
  const warnings = [...essentialPackages(resolved, valid.record, valid.index), ...declaredConflicts(resolved, valid.record, valid.index)];
  const made = { asked, resolved, changes, missing, suggestions, outdated, warnings, inputs, hash };
  deps.memory?.remember(request, skipResolution, valid, made);
  return { ...made, valid };
}

function resolveRequest({ packages_versions: packagesVersions, from_version: fromVersion, ...request }: BuildRequest): ResolvedPackages {
  return resolvePackages({ ...request, packagesVersions, ...(fromVersion !== undefined && { fromVersion }) });
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
