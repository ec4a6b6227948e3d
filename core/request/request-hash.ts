import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { TargetRecord } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from './build-request.ts';

/** Identity of a build: 64 lower-case hex digits, SHA-256 over the normalised request and its inputs. */
export const RequestHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('RequestHash')
  .meta({ id: 'RequestHash', description: 'Names one build and its result: lower-case hex SHA-256.', examples: ['0'.repeat(64)] });
export type RequestHash = z.infer<typeof RequestHash>;

/** Storage prefix of one attempt's files: 64 lower-case hex digits, new for each attempt. */
export const BinDir = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('BinDir');
export type BinDir = z.infer<typeof BinDir>;

/** Changes whenever the same request is to be built differently than before: all earlier results are left behind. */
const FORMAT = 1;

/** What a build depends on besides the request: the ImageBuilder and the package indexes it will read. */
export function inputsDigest(record: Pick<TargetRecord, 'imagebuilder' | 'indexes'>): string {
  const remembered = inputsOf.get(record);
  if (remembered !== undefined) return remembered;
  const digest = sha256(canonicalJson({ imagebuilder: record.imagebuilder?.sha256 ?? '', indexes: record.indexes }));
  inputsOf.set(record, digest);
  return digest;
}

/** Records are never changed, only replaced, and serve many requests each. */
const inputsOf = new WeakMap<object, string>();

/**
 * The identity of a build (docs/architecture.md, Identity and expiry): SHA-256 of canonical JSON over everything that can change the image. Expects the
 * resolved request with its canonical profile. `client`, `from_version` and the order of packages and repositories are
 * no part of it; fields are delimited, so no two requests collide by concatenation.
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

/** Storage prefix of one attempt: nothing under it is ever written by another. */
export const binDirOf = (hash: RequestHash, attemptId: string): BinDir => BinDir.parse(sha256(`${hash}:${attemptId}`));

/** JSON with sorted keys and no white space: equal values, equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Lower-case hex SHA-256 of UTF-8 text. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
