import type { Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';

export interface TokenBuckets {
  /** Takes a token from the key's bucket. If none is left, the answer says how long it takes until there is one. */
  take(key: string): { readonly taken: true; giveBack(): void } | { readonly taken: false; readonly retryAfterSeconds: number };
}

export interface Rate {
  /** The number of tokens in a full bucket. */
  readonly burst: number;
  /** The number of tokens that come back in an hour. */
  readonly perHour: number;
}

/** Returns the rate that the settings ask for. `0` per hour means no limit. */
export const rateOf = (perHour: number, burst: number): Rate | undefined => (perHour === 0 ? undefined : { perHour, burst });

export interface TokenBucketOptions extends Rate {
  /** Default: the clock of this process. */
  readonly monotonic?: Monotonic;
}

/**
 * Beyond this number the bucket that was not used for longest is forgotten. That bounds memory, and leaves its client a
 * full bucket.
 */
const MAX_BUCKETS = 50_000;

/** Returns one bucket of tokens per key. Each refills steadily. */
export function tokenBuckets({ burst, perHour, monotonic = () => performance.now() }: TokenBucketOptions): TokenBuckets {
  const buckets = boundedMap<{ tokens: number; at: number }>(MAX_BUCKETS, () => 1);
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
          const current = buckets.get(key);
          if (current !== undefined) current.tokens = Math.min(burst, current.tokens + 1);
        },
      };
    },
  };
}
