import type { ResolvedPackages } from '#core/package-changes/resolve-packages.ts';
import type { BuildRequest } from './build-request.ts';
import { normaliseRequest } from './normalise.ts';
import { type PrepareBuildDeps, type PrepareBuildOptions, prepareBuild } from './prepare-build.ts';
import type { PreparedBuild } from './prepared-build.ts';

/**
 * Asks another process to resolve a request's packages. Returns `undefined` if it did not, or if its answer makes no
 * sense. Never rejects, and settles within seconds.
 */
export type AskPrepare = (request: BuildRequest, correlationId: string) => Promise<ResolvedPackages | undefined>;

export interface PrepareRemotelyDeps extends PrepareBuildDeps {
  readonly askPrepare?: AskPrepare | undefined;
}

/**
 * Does the same as `prepareBuild`, with packages that the prepare service resolved if it answers, and with the same
 * outcome if it does not. Validation, missing packages and hash are always this process's own: only the process that
 * owns the builds can say which build a request means (the hash of the prepare service is a forecast).
 */
export async function prepareRemotely(
  deps: PrepareRemotelyDeps,
  request: BuildRequest,
  correlationId: string,
  options: PrepareBuildOptions = {},
): Promise<PreparedBuild> {
  const answer = options.skipResolution ? undefined : await deps.askPrepare?.(request, correlationId);
  if (answer === undefined) return prepareBuild(deps, request, options);
  const resolved = { ...request, packages: [...answer.packages], packages_versions: { ...answer.packagesVersions } };
  // An earlier version of the service does not know `honor_defaults`; what a later one added is there already.
  const prepared = await prepareBuild(deps, resolved, { ...options, skipResolution: true, honoursDefaults: true });
  const { packages, packages_versions } = normaliseRequest(request);
  return { ...prepared, asked: { ...prepared.asked, packages, packages_versions }, changes: [...answer.changes, ...prepared.changes] };
}
