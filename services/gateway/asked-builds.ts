import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** A build request as a client sends it. */
export interface SentRequest {
  readonly search: string;
  readonly body: Uint8Array;
}

export interface AskedBuilds {
  /** The hash of the build that the same request was accepted for when it was last sent through this gateway. */
  find(request: SentRequest): string | undefined;
  accepted(request: SentRequest, hash: string): void;
}

/** The most requests to remember, of some 300 bytes each. */
const MAX_ASKED = 50_000;

/**
 * Remembers which build each accepted request means: clients such as LuCI ask for a build's state by sending its
 * request again.
 */
export function askedBuilds(): AskedBuilds {
  const hashes = new LRUCache<string, string>({ max: MAX_ASKED });
  const digestOf = ({ search, body }: SentRequest) => createHash('sha256').update(`${search}\n`).update(body).digest('base64url');
  return {
    find: (request) => hashes.get(digestOf(request)),
    accepted: (request, hash) => void hashes.set(digestOf(request), hash),
  };
}
