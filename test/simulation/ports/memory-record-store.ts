import type { RecordStore } from '#core/stores.ts';

/** Records in memory, replaced by compare-and-swap. */
export function memoryRecordStore(): RecordStore {
  const records = new Map<string, { readonly body: string; readonly tag: string }>();
  let tags = 0;
  return {
    get: async (key) => records.get(key),
    replace: async (key, body, tag) => {
      if (records.get(key)?.tag !== tag) return false;
      tags += 1;
      records.set(key, { body, tag: String(tags) });
      return true;
    },
  };
}
