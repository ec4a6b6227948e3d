import { createHash } from 'node:crypto';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import type { Sliced } from '#lib/sliced.ts';

/** The number of bytes between two yields: a few tenths of a millisecond of work. */
const PART = 256 * 1024;

function* hashing(bytes: Buffer): Sliced<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PART) {
    if (at > 0) yield;
    hash.update(bytes.subarray(at, at + PART));
  }
  return hash.digest('hex');
}

/** Returns the SHA-256 in lower-case hex, without keeping the server from other work for long. */
export const digestOf = (bytes: Buffer): Promise<string> => inSlices(hashing(bytes));
