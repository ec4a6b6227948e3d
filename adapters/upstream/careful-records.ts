import type { Monotonic, RecordStore } from '#core/stores.ts';
import { circuitBreaker } from '#lib/circuit-breaker.ts';
import { withTimeout } from '#lib/with-timeout.ts';

/** How long a store that has failed is left alone. */
const LEFT_ALONE_MS = 2000;

/**
 * Returns the store with a limit on the time of each read. After a read that failed, the next ones fail at once for a
 * moment: a request reads several records, and would wait for each of them while the store does not answer. Writes pass
 * as they are: a store whose disk is full can still be read.
 */
export function carefulRecords(
  records: RecordStore,
  { monotonic, waitMs }: { readonly monotonic: Monotonic; readonly waitMs: number },
): RecordStore {
  const breaker = circuitBreaker({ monotonic, threshold: 1, openMs: LEFT_ALONE_MS });
  return {
    get: (key) => breaker.run(() => withTimeout(waitMs, records.get(key))),
    replace: records.replace,
  };
}
