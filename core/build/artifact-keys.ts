import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactMeta } from '#core/stores.ts';
import { RESULT_MAX_AGE_SECONDS } from './build.ts';

/** The keys of the artefact store; they are URL paths. */
export const artifactKeys = {
  /** All files of one attempt. */
  files: (binDir: BinDir) => `store/${binDir}/`,
  file: (binDir: BinDir, name: string) => `store/${binDir}/${name}`,
  /** The published answer of a finished build, which the CDN serves without any function. */
  result: (hash: RequestHash) => `api/v1/build/${hash}`,
  /** The outcome and the log of one attempt; never served as they are. */
  records: (binDir: BinDir) => `logs/${binDir}/`,
  /** The attempt's own copy of its answer: a success and a failure never share a key. */
  success: (binDir: BinDir) => `logs/${binDir}/result.json`,
  failure: (binDir: BinDir) => `logs/${binDir}/failure.json`,
  /** The key under which earlier versions kept either of them. */
  formerOutcome: (binDir: BinDir) => `logs/${binDir}/outcome.json`,
  log: (binDir: BinDir) => `logs/${binDir}/build.log`,
} as const;

const PRIVATE = 'private, no-store';

/**
 * Returns the meta of an image. Images never change under their URL. They are octet-streams and attachments, so that a
 * click downloads them (docs/contract.md §8). Images of a build with `defaults` hold the script and must be gone when
 * the build expires: no cache may keep them.
 */
export const fileMeta = (name: string, isPrivate = false): ArtifactMeta => ({
  contentType: 'application/octet-stream',
  cacheControl: isPrivate ? PRIVATE : 'public, max-age=31536000, immutable',
  filename: name,
});

/**
 * Returns the meta of a result. A cache may answer with a result for its `max-age` and not a second longer: by then the
 * images may be gone. Caches answer with an expired copy when the origin fails, and a failed rebuild of the same
 * request, a 500, counts as that. CloudFront heeds `stale-if-error=0`, and RFC 9111 asks `must-revalidate` of every
 * cache. A result with `defaults` is in no cache.
 */
export const resultMeta = (isPrivate: boolean, maxAgeSeconds = RESULT_MAX_AGE_SECONDS): ArtifactMeta => ({
  contentType: 'application/json',
  cacheControl: isPrivate ? PRIVATE : `public, max-age=${maxAgeSeconds}, must-revalidate, stale-if-error=0`,
});

export const recordMeta = (contentType: string): ArtifactMeta => ({ contentType, cacheControl: PRIVATE });

const RECORD_TYPES: Readonly<Record<string, string>> = { json: 'application/json', log: 'text/plain; charset=utf-8' };

/**
 * Returns the meta that an object under this key is usually written with. A store that keeps objects as plain files
 * need not store it, and serves files with it that an operator put there. An object under any other key is for download
 * and for no cache.
 */
export function usualMeta(key: string): ArtifactMeta {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (key.startsWith('store/')) return fileMeta(name);
  if (key.startsWith('api/v1/build/')) return resultMeta(false);
  return recordMeta(RECORD_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream');
}
