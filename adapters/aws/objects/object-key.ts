const PLAIN_SEGMENT = /^[A-Za-z0-9._+-]+$/;

/** S3 takes no longer ones. */
const MAX_KEY_LENGTH = 1_024;

const isPlain = (segment: string): boolean => PLAIN_SEGMENT.test(segment) && segment !== '.' && segment !== '..';

/** Whether the key is made of plain segments (ArtifactStore in core/build/ports.ts). */
export const isObjectKey = (key: string): boolean => key.length <= MAX_KEY_LENGTH && key.split('/').every(isPlain);

/** For writing: any other key is a mistake of ours. */
export function writableKey(key: string): string {
  if (!isObjectKey(key)) throw new RangeError(`Not an object key: ${JSON.stringify(key)}`);
  return key;
}
