import { join } from 'node:path';

const PLAIN_SEGMENT = /^[A-Za-z0-9._+-]+$/;

const isPlain = (segment: string): boolean => PLAIN_SEGMENT.test(segment) && segment !== '.' && segment !== '..';

/** Where an object lies below the root; `undefined` when the key is not made of plain segments (ArtifactStore in core/ports.ts). */
export function objectPath(root: string, key: string): string | undefined {
  return key.split('/').every(isPlain) ? join(root, key) : undefined;
}

/** As `objectPath`, for writing: such a key is a mistake of ours. */
export function writablePath(root: string, key: string): string {
  const path = objectPath(root, key);
  if (path === undefined) throw new RangeError(`Not an object key: ${JSON.stringify(key)}`);
  return path;
}
