import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/** Returns the address of a file below the upstream base. The base may end with slashes. */
export const upstreamUrl = (baseUrl: string, path: string): string =>
  `${withoutTrailingSlashes(baseUrl)}/${path.split('/').map(encodeURIComponent).join('/')}`;

const SEGMENTS = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/**
 * Returns whether text can be part of an upstream path. It must have only plain segments, so that no path leaves the
 * tree.
 */
export const isUpstreamPath = (path: string): boolean => path.length <= 200 && SEGMENTS.test(path) && !path.includes('..');
