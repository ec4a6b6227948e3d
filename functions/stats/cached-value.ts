import type { Monotonic } from '#core/stores.ts';

/**
 * A value that is at most `maxAgeMs` old when answered, made once however many ask at once. When it cannot be made, the last
 * one is answered; only without any is the failure.
 */
export function cachedValue<T>(make: () => Promise<T>, maxAgeMs: number, monotonic: Monotonic = () => performance.now()): () => Promise<T> {
  let kept: { value: T; madeAt: number } | undefined;
  let making: Promise<T> | undefined;
  const renew = async () => {
    const madeAt = monotonic();
    try {
      const value = await make();
      kept = { value, madeAt };
      return value;
    } catch (error) {
      if (kept === undefined) throw error;
      return kept.value;
    } finally {
      making = undefined;
    }
  };
  return async () => {
    if (kept !== undefined && monotonic() - kept.madeAt < maxAgeMs) return kept.value;
    making ??= renew();
    return making;
  };
}
