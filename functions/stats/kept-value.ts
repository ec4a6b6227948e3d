import type { Clock } from '#core/ports.ts';

/**
 * A value that is at most `maxAgeMs` old when answered, made once however many ask at once. When it cannot be made, the last
 * one is answered; only without any is the failure.
 */
export function keptValue<T>(make: () => Promise<T>, now: Clock, maxAgeMs: number): () => Promise<T> {
  let kept: { value: T; madeAt: number } | undefined;
  let making: Promise<T> | undefined;
  const renew = async () => {
    const madeAt = now().getTime();
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
    if (kept !== undefined && Math.abs(now().getTime() - kept.madeAt) < maxAgeMs) return kept.value;
    making ??= renew();
    return making;
  };
}
