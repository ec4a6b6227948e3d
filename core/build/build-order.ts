import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import type { PreparedBuild } from '#core/request/prepare-build.ts';
import type { RequestHash } from '#core/request/request-hash.ts';

/** All a runner needs to know of a build: the resolved request and the inputs the hash was made over. Written once, never changed. */
export interface BuildOrder {
  /** Identity of the build; its first twelve digits are EXTRA_IMAGE_NAME, so every rebuild has the same file names. */
  readonly requestHash: RequestHash;
  /** Normalised and resolved: what `packages` lists is what is asked of ImageBuilder. */
  readonly request: BuildRequest;
  /** Path of the version below the upstream base: `releases/24.10.2`. */
  readonly versionPath: string;
  readonly arch: string;
  /** The revision the catalogue had when the build was accepted. */
  readonly revision: string;
  readonly imagebuilder: { readonly name: string; readonly sha256: string };
  /** SHA-256 over ImageBuilder digest and index digests. */
  readonly inputs: string;
  /** The index digests, for telling whether the build used those very ones. Orders of earlier versions have none. */
  readonly indexes?: IndexDigests;
}

/** What a runner gets to see of a prepared build. */
export function buildOrderOf(prepared: PreparedBuild, imagebuilder: BuildOrder['imagebuilder']): BuildOrder {
  const { from_version: _, ...request } = prepared.resolved;
  const { record } = prepared.valid;
  return {
    requestHash: prepared.hash,
    request,
    versionPath: record.versionPath,
    arch: record.arch,
    revision: record.revision,
    imagebuilder,
    inputs: prepared.inputs,
    indexes: record.indexes,
  };
}
