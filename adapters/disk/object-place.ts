import { join } from 'node:path';
import { isPlainKey, notPlainKey } from '#core/plain-key.ts';

/** The place of an object on the disk. */
export interface ObjectPlace {
  /** The store's directory, with links resolved. */
  readonly root: string;
  readonly key: string;
  readonly path: string;
}

/** Returns the place of an object, or `undefined` when the key is not plain. */
export function objectPlace(root: string, key: string): ObjectPlace | undefined {
  return isPlainKey(key) ? { root, key, path: join(root, key) } : undefined;
}

/** Returns the place of an object for writing. Throws `RangeError` when the key is not plain. */
export function writablePlace(root: string, key: string): ObjectPlace {
  const place = objectPlace(root, key);
  if (place === undefined) throw notPlainKey(key);
  return place;
}

// No plain key has a segment with `~`, so no object can be in these directories.
export const incomingDirectory = (root: string): string => join(root, '~incoming');
export const metaDirectory = (root: string): string => join(root, '~meta');
