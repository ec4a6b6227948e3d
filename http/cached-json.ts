import type { Monotonic } from '#core/stores.ts';

/**
 * Returns a reader of a document that is made at most every `maxAgeMs`, once for any number of callers. The last good
 * copy answers while the next is made or cannot be made. Only the very first callers may have to wait or see a failure.
 */
export function cachedJson(
  make: () => Promise<unknown>,
  maxAgeMs: number,
  monotonic: Monotonic = () => performance.now(),
): () => Promise<string> {
  let cached: { json: string; madeAt: number } | undefined;
  let making: Promise<string> | undefined;
  const renew = () => {
    making ??= make()
      .then((value) => {
        const json = JSON.stringify(value);
        cached = { json, madeAt: monotonic() };
        return json;
      })
      .finally(() => {
        making = undefined;
      });
    return making;
  };
  return async () => {
    if (cached === undefined) return renew();
    if (monotonic() - cached.madeAt >= maxAgeMs) renew().catch(() => undefined);
    return cached.json;
  };
}
