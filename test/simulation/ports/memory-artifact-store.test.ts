import { expect, it } from 'vitest';
import { DOCUMENT, documentStoreContract, freshKey } from '#test/contracts/document-store.ts';
import { memoryArtifactStore } from './memory-artifact-store.ts';

const UNWATCHED = { onPut: () => undefined, onRemoved: () => undefined };

documentStoreContract('in memory', () => memoryArtifactStore(new Map(), UNWATCHED));

it('keeps what a file of the disk in memory has when it is stored, and nothing of a file that is gone', async () => {
  const disk = new Map([['a', 'one']]);
  const store = memoryArtifactStore(disk, UNWATCHED);
  const [stored, missing] = [freshKey(), freshKey()];
  await store.putFile(stored, 'a', DOCUMENT);
  disk.set('a', 'two');
  expect(await store.read(stored)).toBe('one');
  await expect(store.putFile(missing, 'b', DOCUMENT)).rejects.toThrow(/ENOENT/);
  expect(await store.read(missing)).toBeUndefined();
});
