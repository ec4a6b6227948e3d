import { LRUCache } from 'lru-cache';
import { type TokenBucketOptions, tokenBuckets } from '#http/rate-limit/token-buckets.ts';
import { TooManyRequestsError } from '#http/rate-limit/too-many-requests-error.ts';

/** Passes a client's build request on by `submit`, or throws `TooManyRequestsError`. */
export type BuildLimit = (subscriber: string, submit: () => Promise<Response>) => Promise<Response>;

/** Builds under way whose tokens are paid. */
const MAX_PAID = 50_000;
const PAID_MS = 6 * 3_600_000;
/** The answer to an accepted request is a few hundred bytes. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Limits the new builds of each client. Only the service knows whether a request begins a build, so a token is taken before and given
 * back after, unless the answer is 202 with a request hash that no token was paid for yet: what is refused, cached, asked for again
 * or already being built for somebody else costs nothing. What is in flight counts, so a burst of many at once is held back too.
 */
export function buildLimit({ now, ...rate }: TokenBucketOptions): BuildLimit {
  const buckets = tokenBuckets({ ...rate, now });
  const paid = new LRUCache<string, true>({ max: MAX_PAID, ttl: PAID_MS });
  return async (subscriber, submit) => {
    const token = buckets.take(subscriber);
    if (!token.taken) throw new TooManyRequestsError('new builds', token.retryAfterSeconds);
    let response: Response;
    try {
      response = await submit();
    } catch (error) {
      token.giveBack();
      throw error;
    }
    if (response.status !== 202) {
      token.giveBack();
      return response;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const hash = bytes.length <= MAX_ANSWER_BYTES ? hashIn(new TextDecoder().decode(bytes)) : undefined;
    if (hash !== undefined && paid.has(hash)) token.giveBack();
    if (hash !== undefined) paid.set(hash, true);
    return new Response(bytes, response);
  };
}

function hashIn(text: string): string | undefined {
  const [, hash] = /"request_hash":\s*"([0-9a-f]{64})"/.exec(text) ?? [];
  return hash;
}
