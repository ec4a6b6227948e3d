import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { TargetRecord } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from './build-request.ts';

/** The identity of a build: 64 lower-case hex digits, SHA-256 over the normalised request and its inputs. */
export const RequestHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('RequestHash')
  .meta({ id: 'RequestHash', description: 'Names one build and its result: lower-case hex SHA-256.', examples: ['0'.repeat(64)] });
export type RequestHash = z.infer<typeof RequestHash>;

/** The storage prefix of one attempt's files: 64 lower-case hex digits, new for each attempt. */
export const BinDir = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('BinDir');
export type BinDir = z.infer<typeof BinDir>;

/**
 * The version of the hash's format. A new one means that equal requests are built again, because they are built in
 * another way.
 */
const FORMAT = 1;

/**
 * Returns a digest of what a build depends on besides the request: the ImageBuilder and the package indexes that it
 * reads.
 */
export const inputsDigest = (record: Pick<TargetRecord, 'imagebuilder' | 'indexes'>): string =>
  sha256(canonicalJson({ imagebuilder: record.imagebuilder?.sha256 ?? '', indexes: record.indexes }));

/**
 * Returns the identity of a build (docs/architecture.md, Identity and expiry): SHA-256 of canonical JSON over
 * everything that can change the image. The request must be resolved and have its canonical profile. `client`,
 * `from_version` and the order of packages and repositories are not part of it. Fields are delimited, so no two
 * requests collide by concatenation.
 */
export function requestHash(request: BuildRequest, revision: string, inputs: string): RequestHash {
  return RequestHash.parse(
    sha256(
      canonicalJson({
        format: FORMAT,
        distro: request.distro,
        version: request.version,
        revision,
        target: request.target,
        profile: request.profile,
        packages: [...new Set(request.packages)].sort(),
        packages_versions: request.packages_versions,
        diff_packages: request.diff_packages,
        defaults: request.defaults ? sha256(request.defaults) : '',
        rootfs_size_mb: request.rootfs_size_mb,
        filesystem: request.filesystem,
        repositories: request.repositories,
        repositories_mode: Object.keys(request.repositories).length === 0 ? 'replace' : request.repositories_mode,
        repository_keys: [...request.repository_keys].sort(),
        inputs,
      }),
    ),
  );
}

/** Returns the storage prefix of one attempt. No other attempt ever writes below it. */
export const binDirOf = (hash: RequestHash, attemptId: string): BinDir => BinDir.parse(sha256(`${hash}:${attemptId}`));

/** Returns JSON with sorted keys and no white space, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Returns the SHA-256 of UTF-8 text in lower-case hex. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
