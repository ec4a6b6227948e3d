import type { Context } from 'hono';
import type { AdmitBuild } from '#core/build/submit-build.ts';
import type { HttpEnv } from '../http-app.ts';
import { type ClientAddress, subscriberOf } from './client-address.ts';
import { addressOf } from './client-keys.ts';
import { type Rate, tokenBuckets } from './token-buckets.ts';
import { TooManyRequestsError } from './too-many-requests-error.ts';

export interface AdmitBuildsOptions {
  readonly rate: Rate;
  readonly clientAddress: ClientAddress;
}

/**
 * Limits the new builds of each client in the process that knows which request begins one. No other request costs a
 * token or is refused.
 */
export function admitBuilds({ rate, clientAddress }: AdmitBuildsOptions): (c: Context<HttpEnv>) => AdmitBuild {
  const buckets = tokenBuckets(rate);
  return (c) => () => {
    const token = buckets.take(subscriberOf(addressOf(c, clientAddress)));
    if (!token.taken) throw new TooManyRequestsError('new builds', token.retryAfterSeconds);
    return token.giveBack;
  };
}
