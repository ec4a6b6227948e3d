import type { RecordStore } from '#core/stores.ts';

/**
 * Returns a record store in the memory of one process, for `prepare`, which has no other, and where a lost record costs
 * only a few requests.
 */
export function memoryRecordStore(): RecordStore {
  const records = new Map<string, { body: string; version: number }>();
  return {
    async get(key) {
      const record = records.get(key);
      return record && { body: record.body, tag: String(record.version) };
    },
    async replace(key, body, tag) {
      const version = records.get(key)?.version;
      if (tag !== (version === undefined ? undefined : String(version))) return false;
      records.set(key, { body, version: (version ?? 0) + 1 });
      return true;
    },
  };
}
