import { beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '#core/stores.ts';
import { memoryRecordStore } from './memory-record-store.ts';
import { type DocumentPolicy, type SharedDocuments, sharedDocuments } from './shared-documents.ts';

const POLICY: DocumentPolicy<string> = { maxAgeMs: 600_000, maxStaleMs: 900_000 };
/** The number of absences that a process remembers. */
const REMEMBERED = 10_000;

let store: RecordStore;
let time: number;
let storeReads: number;
let documents: SharedDocuments;
/** The keys that upstream was asked for. */
let asked: string[];

beforeEach(() => {
  time = Date.parse('2026-01-01T00:00:00Z');
  storeReads = 0;
  asked = [];
  store = memoryRecordStore();
  const records: RecordStore = {
    ...store,
    get: (key) => {
      storeReads += 1;
      return store.get(key);
    },
  };
  documents = sharedDocuments({ records, now: () => new Date(time), monotonic: () => time, waitMs: 1000 });
});

const read = async (key: string, value: string | undefined, more: Partial<DocumentPolicy<string>> = {}) => {
  const load = async () => {
    asked.push(key);
    return value;
  };
  return (await documents.read(key, key, load, { ...POLICY, ...more })).value;
};
const madeUp = async (from: number, count: number) => {
  for (let number = from; number < from + count; number++) await read(`made-up/${number}`, undefined);
};

describe('a name that upstream does not have', () => {
  it('is asked for once in half a minute, and not stored', async () => {
    for (let count = 0; count < 3; count++) expect(await read('nothing', undefined)).toBeUndefined();
    expect(asked).toEqual(['nothing']);
    expect(await store.get('nothing')).toBeUndefined();
    time += 31_000;
    expect(await read('nothing', 'something')).toBe('something');
    expect(await store.get('nothing')).toBeDefined();
  });

  it('is forgotten, the oldest first, when there are more than a process remembers', async () => {
    await madeUp(0, REMEMBERED + 1);
    asked = [];
    await read(`made-up/${REMEMBERED}`, undefined);
    expect(asked).toEqual([]);
    await read('made-up/0', undefined);
    // Not even the time of its last attempt is remembered.
    expect(asked).toEqual(['made-up/0']);
  });

  it('pushes nothing out that upstream has, in any number', async () => {
    expect(await read('there', 'value')).toBe('value');
    await madeUp(0, 3 * REMEMBERED);
    [storeReads, asked] = [0, []];
    expect(await read('there', 'value')).toBe('value');
    expect([storeReads, asked]).toEqual([0, []]);
  });

  it('that upstream had before is stored as gone, so that every process knows', async () => {
    await read('there', 'value');
    time += 1_000_000;
    expect(await read('there', undefined)).toBeUndefined();
    const other = sharedDocuments({ records: store, now: () => new Date(time), monotonic: () => time, waitMs: 1000 });
    const { value } = await other.read('there', 'there', () => Promise.reject(new Error('the copy is young enough')), POLICY);
    expect(value).toBeUndefined();
  });
});
