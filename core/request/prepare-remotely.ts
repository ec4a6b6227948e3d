import type { ResolvedPackages } from '#core/package-changes/resolve-packages.ts';
import type { BuildRequest } from './build-request.ts';
import { normaliseRequest } from './normalise.ts';
import { type PrepareBuildDeps, type PreparedBuild, prepareBuild } from './prepare-build.ts';

/**
 * Has another process resolve a request's packages. `undefined`: it could not, would not or answered what makes no sense; never
 * rejects, and settles within seconds.
 */
export type AskPrepare = (request: BuildRequest, correlationId: string) => Promise<ResolvedPackages | undefined>;

export interface PrepareRemotelyDeps extends PrepareBuildDeps {
  readonly askPrepare?: AskPrepare | undefined;
}

/**
 * As `prepareBuild`, with the packages as the prepare service resolves them where there is one that answers; otherwise they are
 * resolved here, with the same outcome. Validation, missing packages and hash are our own in either case: only the process that
 * owns the builds can tell which build a request means (prepare's hash is a forecast).
 */
export async function prepareRemotely(deps: PrepareRemotelyDeps, request: BuildRequest, correlationId: string): Promise<PreparedBuild> {
  const answer = await deps.askPrepare?.(request, correlationId);
  if (answer === undefined) return prepareBuild(deps, request);
  const resolved = { ...request, packages: [...answer.packages], packages_versions: { ...answer.packagesVersions } };
  const prepared = await prepareBuild(deps, resolved, { skipResolution: true });
  const { packages, packages_versions } = normaliseRequest(request);
  return { ...prepared, asked: { ...prepared.asked, packages, packages_versions }, changes: answer.changes };
}
