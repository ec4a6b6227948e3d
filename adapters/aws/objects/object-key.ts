import { isPlainKey, notPlainKey } from '#core/plain-key.ts';

/** The longest key that S3 takes. */
const MAX_KEY_LENGTH = 1_024;

/** Whether the key may be one of S3. */
export const isObjectKey = (key: string): boolean => key.length <= MAX_KEY_LENGTH && isPlainKey(key);

/** Returns the key for writing. Throws `RangeError` if it is none. */
export function writableKey(key: string): string {
  if (!isObjectKey(key)) throw notPlainKey(key);
  return key;
}
