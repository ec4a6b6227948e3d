const PLAIN_SEGMENT = /^[A-Za-z0-9._+-]+$/;

const isPlain = (segment: string): boolean => PLAIN_SEGMENT.test(segment) && segment !== '.' && segment !== '..';

/**
 * Whether the key of an object is made of plain segments (`ArtifactStore` in core/stores.ts): no other key is read or
 * written.
 */
export const isPlainKey = (key: string): boolean => key.split('/').every(isPlain);

/** Returns the error for writing under a key that is not plain, which is a mistake of ours. */
export const notPlainKey = (key: string): RangeError => new RangeError(`Not an object key: ${JSON.stringify(key)}`);
