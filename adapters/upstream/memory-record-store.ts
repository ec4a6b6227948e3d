import type { RecordStore } from '#core/stores.ts';

/** Records of one process alone: for `prepare`, which has no store, and wherever a lost record costs a few requests only. */
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
