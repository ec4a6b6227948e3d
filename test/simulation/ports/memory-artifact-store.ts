import { isPlainKey, notPlainKey } from '#core/plain-key.ts';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';

export interface StoredObject {
  readonly text: string;
  readonly meta: ArtifactMeta;
}

export interface MemoryArtifactStore extends ArtifactStore {
  readonly objects: ReadonlyMap<string, StoredObject>;
}

export interface ArtifactStoreEvents {
  readonly onPut: (key: string, text: string, before: string | undefined) => void;
  readonly onRemoved: (key: string) => void;
}

/** Objects in memory, all of them texts. `putFile` reads from a disk in memory: path → content. */
export function memoryArtifactStore(disk: ReadonlyMap<string, string>, { onPut, onRemoved }: ArtifactStoreEvents): MemoryArtifactStore {
  const objects = new Map<string, StoredObject>();
  const put = (key: string, text: string, meta: ArtifactMeta) => {
    if (!isPlainKey(key)) throw notPlainKey(key);
    const before = objects.get(key)?.text;
    objects.set(key, { text, meta });
    onPut(key, text, before);
  };
  const stat = (key: string) => {
    const found = objects.get(key);
    return found && { size: Buffer.byteLength(found.text), etag: `"${found.text.length}"`, lastModified: new Date(0), meta: found.meta };
  };
  return {
    objects,
    put: async (key, body, meta) => put(key, typeof body === 'string' ? body : Buffer.from(body).toString(), meta),
    putFile: async (key, path, meta) => {
      const text = disk.get(path);
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      put(key, text, meta);
    },
    read: async (key) => objects.get(key)?.text,
    stat: async (key) => stat(key),
    open: async (key) => {
      const facts = stat(key);
      return facts && { ...facts, body: new Blob([objects.get(key)?.text ?? '']).stream() };
    },
    remove: async (key) => {
      const keys = key.endsWith('/') ? [...objects.keys()].filter((each) => each.startsWith(key)) : objects.has(key) ? [key] : [];
      for (const each of keys) {
        objects.delete(each);
        onRemoved(each);
      }
      return keys.length;
    },
  };
}
