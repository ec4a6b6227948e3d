import { beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { freshBinDir } from './sample-builds.ts';

export const DOCUMENT: ArtifactMeta = { contentType: 'application/json', cacheControl: 'public, max-age=60' };

export const freshKey = () => `store/${freshBinDir()}/openwrt-24.10.2-x86+64_v1.img.gz`;

/** Keys that a store refuses on writing and does not find on reading: none may ever reach a file. */
export const BAD_KEYS = [
  '',
  '/',
  '/etc/passwd',
  'store//file',
  'store/file/',
  '.',
  '..',
  '../store/file',
  'store/../../file',
  'store/./file',
  'store/..',
  'store/%2e%2e/file',
  'store/..%2ffile',
  'store\\..\\file',
  'store/a b',
  'store/a\nb',
  'store/a\0b',
  'store/ä',
  'store/~file',
  'store/a:b',
];

/**
 * The contract of every `ArtifactStore` (core/stores.ts) as far as documents go, which is all that the core does with a
 * store besides files. `makeStore` may return the same, shared store each time.
 */
export function documentStoreContract(name: string, makeStore: () => ArtifactStore | Promise<ArtifactStore>): void {
  describe(`document store: ${name}`, () => {
    let store: ArtifactStore;
    beforeAll(async () => {
      store = await makeStore();
    });

    it('does not find a key that was never written', async () => {
      const key = freshKey();
      expect(await store.read(key)).toBeUndefined();
      expect(await store.open(key)).toBeUndefined();
      expect(await store.stat(key)).toBeUndefined();
      expect(await store.remove(key)).toBe(0);
      expect(await store.remove(`${key}/`)).toBe(0);
    });

    it('shows every reader at once what was written, replaced and removed', async () => {
      const key = freshKey();
      const texts = ['', 'Grüße 🚀\n\u0001"\\', 'two'];
      for (const text of texts) {
        await store.put(key, text, DOCUMENT);
        expect(await Promise.all([store.read(key), store.read(key)])).toEqual([text, text]);
        expect(await store.stat(key)).toMatchObject({ size: Buffer.byteLength(text), meta: DOCUMENT });
      }
      await store.put(key, Buffer.from('bytes'), DOCUMENT);
      expect(await store.read(key)).toBe('bytes');
      await store.remove(key);
      expect(await Promise.all([store.read(key), store.read(key)])).toEqual([undefined, undefined]);
    });

    it('does a call whose answer was lost again, with the same result', async () => {
      const [key, beside] = [freshKey(), freshKey()];
      await store.put(beside, 'beside', DOCUMENT);
      for (let time = 0; time < 2; time += 1) await store.put(key, 'written', DOCUMENT);
      expect(await store.read(key)).toBe('written');
      const directory = key.slice(0, key.lastIndexOf('/') + 1);
      expect([await store.remove(directory), await store.remove(directory)]).toEqual([1, 0]);
      expect([await store.read(key), await store.read(beside)]).toEqual([undefined, 'beside']);
    });

    it('removes one object', async () => {
      const [gone, kept] = [freshKey(), freshKey()];
      await store.put(gone, 'gone', DOCUMENT);
      await store.put(kept, 'kept', DOCUMENT);
      expect(await store.remove(gone)).toBe(1);
      expect(await store.remove(gone)).toBe(0);
      expect(await store.read(gone)).toBeUndefined();
      expect(await store.stat(gone)).toBeUndefined();
      expect(await store.read(kept)).toBe('kept');
    });

    it('removes everything below a prefix, and nothing beside it', async () => {
      const prefix = `logs/${freshBinDir()}`;
      const below = ['a', 'b', 'deep/er/c'].map((each) => `${prefix}/${each}`);
      const beside = [`${prefix}0/a`, `${prefix}-b`];
      for (const key of [...below, ...beside]) await store.put(key, key, DOCUMENT);
      expect(await store.remove(prefix)).toBe(0);
      expect(await store.remove(`${prefix}/`)).toBe(3);
      expect(await store.remove(`${prefix}/`)).toBe(0);
      for (const key of below) expect(await store.read(key)).toBeUndefined();
      for (const key of beside) expect(await store.read(key)).toBe(key);
      await store.put(`${prefix}/a`, 'again', DOCUMENT);
      expect(await store.read(`${prefix}/a`)).toBe('again');
    });

    it.each(BAD_KEYS)('refuses to write, and does not find, %j', async (key) => {
      await expect(store.put(key, 'x', DOCUMENT)).rejects.toThrow(RangeError);
      expect(await store.read(key)).toBeUndefined();
      expect(await store.open(key)).toBeUndefined();
      expect(await store.stat(key)).toBeUndefined();
    });
  });
}
