import type { Catalogue, PackageIndex, TargetRecord } from '#core/catalogue/catalogue.ts';
import { unknownPackages } from '#core/catalogue/package-index.ts';
import { type PackageChange, type ResolvedPackages, resolvePackages } from '#core/package-changes/resolve-packages.ts';
import type { BuildRequest } from './build-request.ts';
import { inputsDigest, type RequestHash, requestHash } from './request-hash.ts';
import { type Policy, type ValidRequest, validateRequest } from './validate-request.ts';

export interface PrepareBuildDeps {
  readonly catalogue: Catalogue;
  readonly policy: Policy;
}

/** A request made ready to build: what will be asked of ImageBuilder, why it differs from what was asked, and its identity. */
export interface PreparedBuild {
  /** Normalised and validated, packages as the client asked. */
  readonly asked: BuildRequest;
  /** The same with the package changes applied: a whole request that means the same build when posted again. */
  readonly resolved: BuildRequest;
  readonly changes: readonly PackageChange[];
  /** Packages of `resolved` that exist nowhere in the feeds, each with names that come close. */
  readonly missing: readonly string[];
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
  readonly valid: ValidRequest;
  readonly inputs: string;
  readonly hash: RequestHash;
}

export interface PrepareBuildOptions {
  /** The packages are taken as they are: `packages` when there are any, else the names in `packages_versions`, which then only verifies. */
  readonly skipResolution?: boolean;
  /** Upstream is asked what the target is now, unless it was just now. */
  readonly fresh?: boolean;
}

/** Validates, resolves and identifies a request without side effects. Throws what `validateRequest` throws. */
export async function prepareBuild(
  deps: PrepareBuildDeps,
  request: BuildRequest,
  { skipResolution = false, fresh = false }: PrepareBuildOptions = {},
): Promise<PreparedBuild> {
  const valid = await validateRequest(deps, request, { fresh });
  const before = lately.get(request);
  if (before?.skipResolution === skipResolution && isAsBefore(before, valid)) return { ...before.prepared, valid };
  const asked = valid.request;
  const { packages, packagesVersions, changes } = skipResolution ? asListed(asked) : resolveRequest(asked);
  const resolved: BuildRequest = { ...asked, packages: [...packages], packages_versions: { ...packagesVersions } };
  const { missing, suggestions } = missingPackages(resolved, valid);
  const inputs = inputsDigest(valid.record);
  const hash = requestHash(resolved, valid.record.revision, inputs);
  const prepared = { asked, resolved, changes, missing, suggestions, inputs, hash };
  lately.set(request, {
    skipResolution,
    branch: valid.branch,
    record: new WeakRef(valid.record),
    index: valid.index && new WeakRef(valid.index),
    prepared,
  });
  return { ...prepared, valid };
}

/** What was made of a request, and of what; upstream's records are held by the catalogue alone, which bounds them. */
interface Lately {
  readonly skipResolution: boolean;
  readonly branch: ValidRequest['branch'];
  readonly record: WeakRef<TargetRecord>;
  readonly index: WeakRef<PackageIndex> | undefined;
  readonly prepared: Omit<PreparedBuild, 'valid'>;
}

/** A request object that is asked with again, as those of bodies are that come again (http/build-request-body.ts), means what it meant. */
const lately = new WeakMap<BuildRequest, Lately>();

/** Of a request only upstream's records change what is made of it; they are replaced, never changed. */
const isAsBefore = (before: Lately, { branch, record, index }: ValidRequest) =>
  before.branch === branch &&
  before.record.deref() === record &&
  (before.index === undefined ? index === undefined : index !== undefined && before.index.deref() === index);

function resolveRequest({ packages_versions: packagesVersions, from_version: fromVersion, ...request }: BuildRequest): ResolvedPackages {
  return resolvePackages({ ...request, packagesVersions, ...(fromVersion !== undefined && { fromVersion }) });
}

function asListed(request: BuildRequest): ResolvedPackages {
  const packages = request.packages.length > 0 ? request.packages : Object.keys(request.packages_versions);
  return { packages, packagesVersions: request.packages_versions, changes: [] };
}

/** With repositories of the client's own only the build can tell what exists. */
function missingPackages(request: BuildRequest, { index, record }: ValidRequest) {
  if (index === undefined || Object.keys(request.repositories).length > 0) return { missing: [], suggestions: {} };
  return unknownPackages(request.packages, index, record);
}
