import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordStore } from '#core/stores.ts';

/** The contract of every `RecordStore` (core/stores.ts). `makeStore` may return the same, shared store each time. */
export function recordStoreContract(name: string, makeStore: () => RecordStore | Promise<RecordStore>): void {
  describe(`record store: ${name}`, () => {
    let store: RecordStore;
    beforeAll(async () => {
      store = await makeStore();
    });
    const freshKey = () => `targets/24.10.2/x86/64/${randomUUID()}`;

    it('does not find a key that was never written', async () => {
      expect(await store.get(freshKey())).toBeUndefined();
    });

    it('keeps every character', async () => {
      const key = freshKey();
      const body = JSON.stringify({
        text: 'Grüße "\\\'\n\t🚀\u0001',
        empty: '',
        list: Array.from({ length: 5_000 }, (_, i) => `package-${i}`),
      });
      expect(await store.replace(key, body, undefined)).toBe(true);
      expect(await store.get(key)).toEqual({ body, tag: expect.any(String) });
      expect(await store.replace(freshKey(), '', undefined)).toBe(true);
    });

    it('creates only a missing record', async () => {
      const key = freshKey();
      expect(await store.replace(key, 'first', undefined)).toBe(true);
      expect(await store.replace(key, 'second', undefined)).toBe(false);
      expect((await store.get(key))?.body).toBe('first');
      const absent = freshKey();
      const { tag } = (await store.get(key)) ?? {};
      expect(await store.replace(absent, 'never', tag)).toBe(false);
      expect(await store.get(absent)).toBeUndefined();
    });

    it('replaces a record that still has its tag, which never fits again afterwards', async () => {
      const key = freshKey();
      const tags: string[] = [];
      await store.replace(key, 'same body', undefined);
      for (let i = 0; i < 3; i += 1) {
        const record = await store.get(key);
        tags.push(record?.tag ?? '');
        expect(await store.replace(key, 'same body', record?.tag)).toBe(true);
      }
      for (const tag of [...tags, 'no such tag', '']) expect(await store.replace(key, 'stale', tag)).toBe(false);
      expect((await store.get(key))?.body).toBe('same body');
    });

    it('refuses a write again whose answer was lost, and keeps it', async () => {
      const key = freshKey();
      expect([await store.replace(key, 'one', undefined), await store.replace(key, 'one', undefined)]).toEqual([true, false]);
      const { tag } = (await store.get(key)) ?? {};
      expect([await store.replace(key, 'two', tag), await store.replace(key, 'two', tag)]).toEqual([true, false]);
      expect((await store.get(key))?.body).toBe('two');
    });

    it('lets one of many win each round, and loses no update', async () => {
      const key = freshKey();
      const first = await Promise.all(Array.from({ length: 20 }, (_, i) => store.replace(key, `${i}`, undefined)));
      expect(first.filter(Boolean)).toHaveLength(1);
      expect((await store.get(key))?.body).toBe(`${first.indexOf(true)}`);

      const counter = freshKey();
      const add = async () => {
        for (;;) {
          const record = await store.get(counter);
          if (await store.replace(counter, `${Number(record?.body ?? 0) + 1}`, record?.tag)) return;
        }
      };
      await Promise.all(Array.from({ length: 10 }, add));
      expect((await store.get(counter))?.body).toBe('10');
    });
  });
}
