import { join } from 'node:path';
import { isPlainKey, notPlainKey } from '#core/plain-key.ts';

/** Where an object lies. */
export interface ObjectPlace {
  /** The store's own directory, links resolved. */
  readonly root: string;
  readonly key: string;
  readonly path: string;
}

/** Returns where the object lies; `undefined` when the key is not plain. */
export function objectPlace(root: string, key: string): ObjectPlace | undefined {
  return isPlainKey(key) ? { root, key, path: join(root, key) } : undefined;
}

/** As `objectPlace`, for writing. Throws `RangeError` when the key is not plain. */
export function writablePlace(root: string, key: string): ObjectPlace {
  const place = objectPlace(root, key);
  if (place === undefined) throw notPlainKey(key);
  return place;
}

/** Not plain segments, so no key leads to these. */
export const incomingDirectory = (root: string): string => join(root, '~incoming');
export const metaDirectory = (root: string): string => join(root, '~meta');
