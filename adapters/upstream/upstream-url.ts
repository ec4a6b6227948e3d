import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/** The address of a file below the upstream base, whatever slashes the base ends with. */
export const upstreamUrl = (baseUrl: string, path: string): string =>
  `${withoutTrailingSlashes(baseUrl)}/${path.split('/').map(encodeURIComponent).join('/')}`;

const SEGMENTS = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** Whether text can be part of an upstream path: plain segments only, so that nothing escapes the tree. */
export const isUpstreamPath = (path: string): boolean => path.length <= 200 && SEGMENTS.test(path) && !path.includes('..');
