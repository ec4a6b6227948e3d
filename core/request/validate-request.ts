import { type Branch, branchOf, versionPath } from '#core/catalogue/branches.ts';
import type { Freshness, PackageIndex, TargetRecord } from '#core/catalogue/catalogue.ts';
import { isAnnounced, isOfferedVersion } from '#core/catalogue/offered-versions.ts';
import {
  DefaultsNotAllowedError,
  RepositoryNotAllowedError,
  RevisionMismatchError,
  TargetNotYetMirroredError,
  UnsupportedBranchError,
  UnsupportedProfileError,
  UnsupportedTargetError,
  UnsupportedVersionError,
  VersionNotYetMirroredError,
} from '#core/errors.ts';
import type { BuildRequest } from './build-request.ts';
import { type OtherDistros, offerOf, type RequestCatalogue } from './distro-offer.ts';
import { offersImages } from './images-offered.ts';
import { normaliseRequest } from './normalise.ts';
import { isRepositoryAllowed } from './repositories.ts';
import { repositoryKeyFiles } from './repository-keys.ts';
import { resolveProfile } from './resolve-profile.ts';

/** The requests that the operator allows, by settings of the reference server. */
export interface Policy {
  readonly allowDefaults: boolean;
  readonly repositoryAllowList: readonly string[];
  readonly branches: readonly Branch[];
}

export interface ValidateRequestDeps {
  /** The catalogue of the default distribution, whose branches the policy has. */
  readonly catalogue: RequestCatalogue;
  readonly policy: Policy;
  readonly others?: OtherDistros;
}

/** A request that this server can build, with what upstream says of its target. */
export interface ValidRequest {
  /** The normalised request with its canonical profile and the packages that the client asked for. */
  readonly request: BuildRequest;
  readonly branch: Branch;
  readonly record: TargetRecord;
  /** Absent if upstream has no readable index. Then only the build can tell which packages exist. */
  readonly index: PackageIndex | undefined;
}

/**
 * Checks a request against policy and upstream in the reference server's order; the first check that fails answers
 * (docs/contract.md §4). Unlike there, the checks also run when the answer is cached (decision 6). Throws the matching
 * `AsuError`, or `UpstreamUnavailableError` if upstream cannot be asked and was never seen. With `fresh`, upstream is
 * asked for the target again, unless that happened a moment ago and `changedAt` does not say otherwise.
 */
export async function validateRequest(
  { policy, others, ...deps }: ValidateRequestDeps,
  asked: BuildRequest,
  freshness: Freshness = {},
): Promise<ValidRequest> {
  const request = normaliseRequest(asked);
  if (request.defaults && !policy.allowDefaults) throw new DefaultsNotAllowedError();
  for (const url of Object.values(request.repositories))
    if (!isRepositoryAllowed(url, policy.repositoryAllowList)) throw new RepositoryNotAllowedError(url);
  repositoryKeyFiles(request.repository_keys);
  const { catalogue, branches } = offerOf(request.distro, { catalogue: deps.catalogue, branches: policy.branches }, others);

  const branch = branchOf(request.version, branches);
  if (branch === undefined || !branch.enabled) throw new UnsupportedBranchError(request.version);
  if (!(await isOfferedVersion(catalogue, request.version, branches))) throw new UnsupportedVersionError(request.version);

  const path = versionPath(request.version, branch);
  const isListed = await assertTarget(catalogue, path, request, branches);

  const known = await catalogue.target(request.version, path, request.target, freshness);
  const record = known !== undefined && fits(known, request) ? known : await catalogue.target(request.version, path, request.target, FRESH);
  if (record === undefined)
    throw isListed ? new TargetNotYetMirroredError(request.version, request.target) : new UnsupportedTargetError(request.target);
  const profile = resolveProfile(record, request.profile);
  if (profile === undefined) throw new UnsupportedProfileError(request.profile);
  if (!hasImages(record, profile)) throw new UnsupportedProfileError(profile, NO_IMAGES);
  if (!hasRevision(record, request)) throw new RevisionMismatchError(record.revision, request.version_code);

  return { request: { ...request, profile }, branch, record, index: await catalogue.packages(record) };
}

/** Upstream may be newer than the server's copy, so it is asked once more before anything is called unknown. */
const FRESH = { fresh: true } as const;

/**
 * Throws unless upstream lists the target, or has no list of targets: then the target's own files decide. Returns whether
 * it lists the target.
 */
async function assertTarget(
  catalogue: RequestCatalogue,
  path: string,
  { version, target }: BuildRequest,
  branches: readonly Branch[],
): Promise<boolean> {
  const known = await catalogue.targets(path);
  if (known !== undefined && Object.hasOwn(known, target)) return true;
  const listed = await catalogue.targets(path, FRESH);
  if (listed === undefined && !(await catalogue.hasVersion(path, FRESH)))
    throw isAnnounced(version, await catalogue.versions(), branches)
      ? new VersionNotYetMirroredError(version)
      : new UnsupportedVersionError(version);
  if (listed !== undefined && !Object.hasOwn(listed, target)) throw new UnsupportedTargetError(target);
  return listed !== undefined;
}

const NO_IMAGES = 'Upstream makes no firmware image for this device in this version, at most an initramfs';

function fits(record: TargetRecord, request: BuildRequest): boolean {
  const profile = resolveProfile(record, request.profile);
  return profile !== undefined && hasImages(record, profile) && hasRevision(record, request);
}

const hasImages = ({ profiles }: TargetRecord, id: string): boolean => profiles[id] === undefined || offersImages(profiles[id]);

const hasRevision = ({ revision }: TargetRecord, { version_code }: BuildRequest) => version_code === '' || version_code === revision;
