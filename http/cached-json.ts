import type { Monotonic } from '#core/stores.ts';

/**
 * A document that is made at most every `maxAgeMs`, once however many ask, and of which the last good copy is answered while
 * the next is made or cannot be made. Only the very first asker may have to wait, or be told of a failure.
 */
export function cachedJson(
  make: () => Promise<unknown>,
  maxAgeMs: number,
  monotonic: Monotonic = () => performance.now(),
): () => Promise<string> {
  let kept: { json: string; madeAt: number } | undefined;
  let making: Promise<string> | undefined;
  const renew = () => {
    making ??= make()
      .then((value) => {
        const json = JSON.stringify(value);
        kept = { json, madeAt: monotonic() };
        return json;
      })
      .finally(() => {
        making = undefined;
      });
    return making;
  };
  return async () => {
    if (kept === undefined) return renew();
    if (monotonic() - kept.madeAt >= maxAgeMs) renew().catch(() => undefined);
    return kept.json;
  };
}
