import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactMeta } from '#core/stores.ts';
import { RESULT_MAX_AGE_SECONDS } from './build.ts';

/** Where things lie in the artefact store; keys are URL paths. */
export const artifactKeys = {
  /** All files of one attempt. */
  files: (binDir: BinDir) => `store/${binDir}/`,
  file: (binDir: BinDir, name: string) => `store/${binDir}/${name}`,
  /** The published answer of a finished build: what the CDN serves without any function. */
  result: (hash: RequestHash) => `api/v1/build/${hash}`,
  /** What one attempt ended with, log included; never served as it is. */
  records: (binDir: BinDir) => `logs/${binDir}/`,
  /** The attempt's own copy of the answer that it makes when it succeeds, and the one that it makes when it fails: never under one key. */
  success: (binDir: BinDir) => `logs/${binDir}/result.json`,
  failure: (binDir: BinDir) => `logs/${binDir}/failure.json`,
  /** Where earlier versions kept either of them. */
  formerOutcome: (binDir: BinDir) => `logs/${binDir}/outcome.json`,
  log: (binDir: BinDir) => `logs/${binDir}/build.log`,
} as const;

const PRIVATE = 'private, no-store';

/**
 * Images never change under their URL. Octet-stream and attachment, so that a click downloads (docs/contract.md §8). Those of a build with
 * `defaults` hold the script, and are to be gone when it expires: no cache may keep them.
 */
export const fileMeta = (name: string, isPrivate = false): ArtifactMeta => ({
  contentType: 'application/octet-stream',
  cacheControl: isPrivate ? PRIVATE : 'public, max-age=31536000, immutable',
  filename: name,
});

/**
 * A cache may answer with a result for its `max-age` and not a second longer: by then the images may be gone. Caches answer with
 * an expired copy when the origin fails, and a failed rebuild of the same request counts as that, since it is told as 500.
 * `stale-if-error=0` is what CloudFront heeds, `must-revalidate` what RFC 9111 asks of every cache. A result that carries
 * `defaults` is in no cache at all.
 */
export const resultMeta = (isPrivate: boolean, maxAgeSeconds = RESULT_MAX_AGE_SECONDS): ArtifactMeta => ({
  contentType: 'application/json',
  cacheControl: isPrivate ? PRIVATE : `public, max-age=${maxAgeSeconds}, must-revalidate, stale-if-error=0`,
});

export const recordMeta = (contentType: string): ArtifactMeta => ({ contentType, cacheControl: PRIVATE });

const RECORD_TYPES: Readonly<Record<string, string>> = { json: 'application/json', log: 'text/plain; charset=utf-8' };

/**
 * The meta that an object under this key is usually written with: a store whose objects lie about as plain files need not
 * keep it, and serves a file that somebody else put there by it. What is not known is for download and for nobody's cache.
 */
export function usualMeta(key: string): ArtifactMeta {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (key.startsWith('store/')) return fileMeta(name);
  if (key.startsWith('api/v1/build/')) return resultMeta(false);
  return recordMeta(RECORD_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream');
}
