import { LRUCache } from 'lru-cache';
import type { Monotonic } from '#core/stores.ts';

export interface TokenBuckets {
  /** Takes a token of the key's bucket. Without one left: how long until there is. */
  take(key: string): { readonly taken: true; giveBack(): void } | { readonly taken: false; readonly retryAfterSeconds: number };
}

export interface Rate {
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Tokens that come back in an hour. */
  readonly perHour: number;
}

/** `0` per hour is no limit. */
export const rateOf = (perHour: number, burst: number): Rate | undefined => (perHour === 0 ? undefined : { perHour, burst });

export interface TokenBucketOptions extends Rate {
  /** Default: this process's own. */
  readonly monotonic?: Monotonic;
}

/** A bucket that nobody has asked for longest is forgotten, which fills it: bounds memory, and is to the client's good. */
const MAX_BUCKETS = 50_000;

/** One bucket of tokens per key, refilled steadily. */
export function tokenBuckets({ burst, perHour, monotonic = () => performance.now() }: TokenBucketOptions): TokenBuckets {
  const buckets = new LRUCache<string, { tokens: number; at: number }>({ max: MAX_BUCKETS });
  const perMs = perHour / 3_600_000;
  return {
    take(key) {
      const at = monotonic();
      const known = buckets.get(key);
      const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (at - known.at) * perMs);
      const isThere = tokens >= 1;
      const bucket = { tokens: isThere ? tokens - 1 : tokens, at };
      buckets.set(key, bucket);
      if (!isThere) return { taken: false, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / perMs / 1000)) };
      return {
        taken: true,
        giveBack: () => {
          const current = buckets.peek(key);
          if (current !== undefined) current.tokens = Math.min(burst, current.tokens + 1);
        },
      };
    },
  };
}
