import { isPlainKey, notPlainKey } from '#core/plain-key.ts';

/** The longest key that S3 accepts. */
const MAX_KEY_LENGTH = 1_024;

/** Returns whether the key can be a key in S3. */
export const isObjectKey = (key: string): boolean => key.length <= MAX_KEY_LENGTH && isPlainKey(key);

/** Returns the key, for writing. Throws `RangeError` when it cannot be a key in S3. */
export function writableKey(key: string): string {
  if (!isObjectKey(key)) throw notPlainKey(key);
  return key;
}
