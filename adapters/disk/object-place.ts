import { join } from 'node:path';

const PLAIN_SEGMENT = /^[A-Za-z0-9._+-]+$/;

const isPlain = (segment: string): boolean => PLAIN_SEGMENT.test(segment) && segment !== '.' && segment !== '..';

/** Where an object lies. */
export interface ObjectPlace {
  /** The store's own directory, links resolved. */
  readonly root: string;
  readonly key: string;
  readonly path: string;
}

/** `undefined` when the key is not made of plain segments (ArtifactStore in core/build/ports.ts). */
export function objectPlace(root: string, key: string): ObjectPlace | undefined {
  return key.split('/').every(isPlain) ? { root, key, path: join(root, key) } : undefined;
}

/** As `objectPlace`, for writing: such a key is a mistake of ours. */
export function writablePlace(root: string, key: string): ObjectPlace {
  const place = objectPlace(root, key);
  if (place === undefined) throw new RangeError(`Not an object key: ${JSON.stringify(key)}`);
  return place;
}

/** Not plain segments, so no key leads to these. */
export const incomingDirectory = (root: string): string => join(root, '~incoming');
export const metaDirectory = (root: string): string => join(root, '~meta');
