import { type BinDir, RESULT_MAX_AGE_SECONDS, type RequestHash } from './build.ts';
import type { ArtifactMeta } from './ports.ts';

/** Where things lie in the artefact store; keys are URL paths. */
export const artifactKeys = {
  /** All files of one attempt. */
  files: (binDir: BinDir) => `store/${binDir}/`,
  file: (binDir: BinDir, name: string) => `store/${binDir}/${name}`,
  /** The published answer of a finished build: what the CDN serves without any function. */
  result: (hash: RequestHash) => `api/v1/build/${hash}`,
  /** What one attempt ended with, log included; never served as it is. */
  records: (binDir: BinDir) => `logs/${binDir}/`,
  outcome: (binDir: BinDir) => `logs/${binDir}/outcome.json`,
  log: (binDir: BinDir) => `logs/${binDir}/build.log`,
} as const;

/** Images never change under their URL. Octet-stream and attachment, so that a click downloads (CONTRACT.md §12). */
export const fileMeta = (name: string): ArtifactMeta => ({
  contentType: 'application/octet-stream',
  cacheControl: 'public, max-age=31536000, immutable',
  filename: name,
});

/** A result that carries `defaults` is nobody else's business. */
export const resultMeta = (isPrivate: boolean): ArtifactMeta => ({
  contentType: 'application/json',
  cacheControl: isPrivate ? 'private, no-store' : `public, max-age=${RESULT_MAX_AGE_SECONDS}`,
});

export const recordMeta = (contentType: string): ArtifactMeta => ({ contentType, cacheControl: 'private, no-store' });
