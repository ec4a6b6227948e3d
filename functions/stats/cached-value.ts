import type { Monotonic } from '#core/stores.ts';

/**
 * A value that is at most `maxAgeMs` old when it is returned. However many callers ask at once, it is made once. When
 * it cannot be made, callers get the last value, and the error only if there is none.
 */
export function cachedValue<T>(make: () => Promise<T>, maxAgeMs: number, monotonic: Monotonic = () => performance.now()): () => Promise<T> {
  let cached: { value: T; madeAt: number } | undefined;
  let making: Promise<T> | undefined;
  const renew = async () => {
    const madeAt = monotonic();
    try {
      const value = await make();
      cached = { value, madeAt };
      return value;
    } catch (error) {
      if (cached === undefined) throw error;
      return cached.value;
    } finally {
      making = undefined;
    }
  };
  return async () => {
    if (cached !== undefined && monotonic() - cached.madeAt < maxAgeMs) return cached.value;
    making ??= renew();
    return making;
  };
}
