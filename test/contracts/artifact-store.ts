import { randomBytes, randomUUID } from 'node:crypto';
import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { artifactKeys, fileMeta, recordMeta, resultMeta } from '#core/build/artifact-keys.ts';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { BAD_KEYS, DOCUMENT, documentStoreContract, freshKey } from './document-store.ts';
import { freshBinDir, freshHash } from './sample-builds.ts';

const IMAGE: ArtifactMeta = {
  contentType: 'application/octet-stream',
  cacheControl: 'public, max-age=604800, immutable',
  filename: 'openwrt-24.10.2-x86-64-generic.img.gz',
};

/** A size in bytes that is larger than any store reads or sends at once. */
const LARGE_BYTES = 3 * 1024 * 1024 + 17;

/** The contract of every `ArtifactStore` (core/stores.ts). `makeStore` may return the same, shared store each time. */
export function artifactStoreContract(name: string, makeStore: () => ArtifactStore | Promise<ArtifactStore>): void {
  documentStoreContract(name, makeStore);

  describe(`artefact store: ${name}`, () => {
    let store: ArtifactStore;
    let directory: string;
    const large = randomBytes(LARGE_BYTES);
    let largeFile: string;
    beforeAll(async () => {
      store = await makeStore();
      directory = await temporaryDirectory();
      largeFile = join(directory, 'large');
      await writeFile(largeFile, large);
    });

    const bytesOf = async (key: string, range?: { start: number; end: number }): Promise<Buffer | undefined> => {
      const artifact = await store.open(key, range);
      return artifact && Buffer.from(await new Response(artifact.body).arrayBuffer());
    };

    it('keeps a document, every character and byte of it', async () => {
      const key = freshKey();
      const text = 'Grüße 🚀\n\u0001"\\';
      await store.put(key, text, DOCUMENT);
      expect(await store.read(key)).toBe(text);
      expect(await store.stat(key)).toEqual({
        size: Buffer.byteLength(text),
        etag: expect.stringMatching(/^"[^"]+"$/),
        lastModified: expect.any(Date),
        meta: DOCUMENT,
      });
      const bytes = randomBytes(1_000);
      await store.put(key, new Uint8Array(bytes), IMAGE);
      expect(await bytesOf(key)).toEqual(bytes);
      expect((await store.stat(key))?.meta).toEqual(IMAGE);
    });

    it('keeps a file', async () => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      expect(large.equals((await bytesOf(key)) ?? Buffer.alloc(0))).toBe(true);
      expect(await store.stat(key)).toMatchObject({ size: LARGE_BYTES, meta: IMAGE });
    });

    it('keeps the meta of every object of a build, private or not', async () => {
      for (const isPrivate of [true, false]) {
        const [binDir, hash] = [freshBinDir(), freshHash()];
        const image = artifactKeys.file(binDir, 'a.img.gz');
        const written: [string, ArtifactMeta][] = [
          [image, fileMeta('a.img.gz', isPrivate)],
          [artifactKeys.result(hash), resultMeta(isPrivate)],
          [artifactKeys.success(binDir), recordMeta('application/json')],
          [artifactKeys.log(binDir), recordMeta('text/plain; charset=utf-8')],
        ];
        for (const [key, meta] of written) await store.putFile(key, largeFile, meta);
        for (const [key, meta] of written) {
          expect((await store.stat(key))?.meta).toEqual(meta);
          const artifact = await store.open(key, { start: 0, end: 0 });
          await artifact?.body.cancel();
          expect(artifact?.meta).toEqual(meta);
        }
        expect((await store.stat(image))?.meta.cacheControl).toMatch(isPrivate ? /^private, no-store$/ : /^public, .*immutable$/);
        expect(await store.remove(artifactKeys.files(binDir))).toBe(1);
        expect(await store.stat(image)).toBeUndefined();
      }
    });

    it('keeps a file again whose answer was lost, and is the same', async () => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      const { size, meta } = (await store.stat(key)) ?? {};
      await store.putFile(key, largeFile, IMAGE);
      expect(await store.stat(key)).toMatchObject({ size, meta });
      expect(large.equals((await bytesOf(key)) ?? Buffer.alloc(0))).toBe(true);
      expect([await store.remove(key), await store.remove(key)]).toEqual([1, 0]);
    });

    it('keeps empty files and documents', async () => {
      const [text, file] = [freshKey(), freshKey()];
      const empty = join(directory, 'empty');
      await writeFile(empty, '');
      await store.put(text, '', DOCUMENT);
      await store.putFile(file, empty, IMAGE);
      for (const key of [text, file]) {
        expect(await store.read(key)).toBe('');
        expect(await bytesOf(key)).toEqual(Buffer.alloc(0));
        expect(await store.stat(key)).toMatchObject({ size: 0 });
      }
    });

    it('answers the same facts by stat and by open', async () => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      const { body, ...facts } = (await store.open(key)) ?? {};
      await body?.cancel();
      expect(facts).toEqual(await store.stat(key));
    });

    it('dates an object by the time it was written', async () => {
      const key = freshKey();
      await store.put(key, 'dated', DOCUMENT);
      const { lastModified } = (await store.stat(key)) ?? {};
      // The bounds are wide, because a remote store has another clock.
      expect(Math.abs(Date.now() - (lastModified?.getTime() ?? 0))).toBeLessThan(600_000);
      expect((await store.stat(key))?.lastModified).toEqual(lastModified);
    });

    it('has an etag that stays while the object does, and changes with its bytes', async () => {
      const key = freshKey();
      await store.put(key, 'one', DOCUMENT);
      const first = (await store.stat(key))?.etag;
      expect((await store.stat(key))?.etag).toBe(first);
      await store.put(key, 'two', DOCUMENT);
      expect((await store.stat(key))?.etag).not.toBe(first);
    });

    it.each([
      [0, 0],
      [0, 99],
      [1, 70_000],
      [LARGE_BYTES - 1, LARGE_BYTES - 1],
      [LARGE_BYTES - 100, LARGE_BYTES - 1],
      [1_000_000, 2_900_000],
      [0, LARGE_BYTES - 1],
    ])('reads bytes %i to %i', async (start, end) => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      const artifact = await store.open(key, { start, end });
      expect(artifact?.size).toBe(LARGE_BYTES);
      const bytes = Buffer.from(await new Response(artifact?.body).arrayBuffer());
      expect(bytes.equals(large.subarray(start, end + 1))).toBe(true);
    });

    it('lets a reader stop before, in the middle of and during a read', async () => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      const cancelAfter = async (reads: number, isReading: boolean) => {
        const reader = (await store.open(key))?.body.getReader();
        for (let i = 0; i < reads; i += 1) expect((await reader?.read())?.done).toBe(false);
        const pending = isReading ? reader?.read() : undefined;
        await reader?.cancel();
        await pending;
      };
      for (const reads of [0, 1, 2]) for (const isReading of [false, true]) await cancelAfter(reads, isReading);
      expect(large.equals((await bytesOf(key)) ?? Buffer.alloc(0))).toBe(true);
    });

    it.each(BAD_KEYS)('refuses to write a file to, and does not open a part of, %j', async (key) => {
      await expect(store.putFile(key, largeFile, IMAGE)).rejects.toThrow(RangeError);
      expect(await store.open(key, { start: 0, end: 0 })).toBeUndefined();
      expect(await store.stat(key)).toBeUndefined();
    });

    it('does not find a directory, or what would lie below an object', async () => {
      const key = freshKey();
      await store.put(key, 'x', DOCUMENT);
      const [parent] = key.split(/\/(?=[^/]*$)/);
      for (const other of ['store', parent as string, `${key}/below`, `store/${'long'.repeat(200)}`]) {
        expect(await store.read(other)).toBeUndefined();
        expect(await store.open(other)).toBeUndefined();
        expect(await store.stat(other)).toBeUndefined();
      }
    });

    it('leaves nothing under the key when a file cannot be put', async () => {
      const key = freshKey();
      await expect(store.putFile(key, join(directory, 'no such file'), IMAGE)).rejects.toThrow(/ENOENT/);
      await expect(store.putFile(key, directory, IMAGE)).rejects.toThrow();
      const [first, second] = [join(directory, `first-${randomUUID()}`), join(directory, `second-${randomUUID()}`)];
      await writeFile(first, 'anybody may have linked it');
      await link(first, second);
      await expect(store.putFile(key, second, IMAGE)).rejects.toThrow(/one name/);
      await expect(store.putFile(key, largeFile, IMAGE, AbortSignal.abort())).rejects.toThrow(/abort/i);
      const stopped = new AbortController();
      const putting = store.putFile(key, largeFile, IMAGE, stopped.signal);
      queueMicrotask(() => stopped.abort(new Error('stopped by the test')));
      await expect(putting).rejects.toThrow(/stopped by the test|abort/i);
      expect(await store.stat(key)).toBeUndefined();
      expect(await store.remove(`${key.slice(0, key.lastIndexOf('/'))}/`)).toBe(0);
    });

    it('keeps the old object when the new one cannot be put', async () => {
      const key = freshKey();
      await store.put(key, 'old', DOCUMENT);
      await expect(store.putFile(key, join(directory, 'no such file'), IMAGE)).rejects.toThrow(/ENOENT/);
      await expect(store.putFile(key, largeFile, IMAGE, AbortSignal.abort())).rejects.toThrow();
      expect(await store.read(key)).toBe('old');
      expect((await store.stat(key))?.meta).toEqual(DOCUMENT);
    });

    it('shows a reader the whole old or the whole new object, bytes and meta, while others write', async () => {
      const key = freshKey();
      const version = (n: number) => ({
        body: `${n};`.repeat(1_000 + n * 10_000),
        meta: { contentType: `text/version-${n}`, cacheControl: 'no-cache', filename: `version-${n}` },
      });
      const versions = [0, 1, 2, 3].map(version);
      await store.put(key, versions[0]?.body ?? '', versions[0]?.meta ?? DOCUMENT);
      let isWriting = true;
      const write = async ({ body, meta }: (typeof versions)[number]) => {
        for (let i = 0; i < 10; i += 1) await store.put(key, body, meta);
      };
      const look = async () => {
        let looks = 0;
        for (; isWriting || looks < 5; looks += 1) {
          // A store may answer without waiting, so the writers need a turn.
          await setImmediate();
          const artifact = await store.open(key);
          const text = await new Response(artifact?.body).text();
          const expected = versions[Number(text.slice(0, 1))];
          expect(text === expected?.body).toBe(true);
          expect(artifact?.size).toBe(text.length);
          expect(artifact?.meta).toEqual(expected?.meta);
        }
      };
      const looking = Promise.all([look(), look()]);
      await Promise.all(versions.map(write));
      isWriting = false;
      await looking;
    });

    it('goes on reading an object that is replaced or removed meanwhile, or fails, but never mixes', async () => {
      const key = freshKey();
      await store.putFile(key, largeFile, IMAGE);
      const artifact = await store.open(key);
      const reader = artifact?.body.getReader();
      const chunks = [(await reader?.read())?.value ?? new Uint8Array()];
      await store.put(key, randomUUID(), DOCUMENT);
      await store.remove(key);
      const rest = async () => {
        for (;;) {
          const { done, value } = (await reader?.read()) ?? { done: true };
          if (done || value === undefined) return true;
          chunks.push(value);
        }
      };
      const isWhole = await rest().catch(() => false);
      const read = Buffer.concat(chunks);
      expect(read.equals(large.subarray(0, read.length))).toBe(true);
      expect(read.length === LARGE_BYTES || !isWhole).toBe(true);
    });
  });
}
