import { LRUCache } from 'lru-cache';
import { type Rate, tokenBuckets } from '#http/rate-limit/token-buckets.ts';
import { TooManyRequestsError } from '#http/rate-limit/too-many-requests-error.ts';
import type { Answered, Submit } from './accepted-build.ts';

/** Passes a client's build request on by `submit`, or throws `TooManyRequestsError`. */
export type BuildLimit = (subscriber: string, submit: Submit) => Promise<Answered>;

/** The number of builds that are remembered as paid for. */
const MAX_PAID = 50_000;
const PAID_MS = 6 * 3_600_000;

/**
 * Returns a limit on the new builds of each client. Only the service knows whether a request begins a build. Therefore
 * the limit takes a token before the request and gives it back afterwards, unless the answer is 202 with a request hash
 * that no client has paid for yet. A refused, cached or repeated request therefore costs nothing, nor does one for a
 * build that another client began. Requests in flight count too, so the limit also holds for a burst.
 */
export function buildLimit(rate: Rate): BuildLimit {
  const buckets = tokenBuckets(rate);
  const paid = new LRUCache<string, true>({ max: MAX_PAID, ttl: PAID_MS });
  return async (subscriber, submit) => {
    const token = buckets.take(subscriber);
    if (!token.taken) throw new TooManyRequestsError('new builds', token.retryAfterSeconds);
    let answered: Answered;
    try {
      answered = await submit();
    } catch (error) {
      token.giveBack();
      throw error;
    }
    const { response, hash } = answered;
    if (response.status !== 202 || (hash !== undefined && paid.has(hash))) token.giveBack();
    if (hash !== undefined) paid.set(hash, true);
    return answered;
  };
}
