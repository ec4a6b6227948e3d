import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';

/** An artefact store in memory, for tests of thousands of histories that would spend most of their time on the disk. */
export function memoryArtifactStore(): ArtifactStore {
  const objects = new Map<string, { bytes: Buffer; meta: ArtifactMeta }>();
  const stat: ArtifactStore['stat'] = async (key) => {
    const found = objects.get(key);
    if (found === undefined) return undefined;
    const etag = `"${createHash('sha256').update(found.bytes).digest('hex')}"`;
    return { size: found.bytes.length, etag, lastModified: new Date(0), meta: found.meta };
  };
  return {
    stat,
    put: async (key, body, meta) => void objects.set(key, { bytes: Buffer.from(body), meta }),
    putFile: async (key, path, meta, signal) => {
      const bytes = await readFile(path, { signal });
      objects.set(key, { bytes, meta });
    },
    read: async (key) => objects.get(key)?.bytes.toString('utf8'),
    open: async (key, { start, end } = { start: 0, end: Number.POSITIVE_INFINITY }) => {
      const [facts, found] = [await stat(key), objects.get(key)];
      const body = new Blob([new Uint8Array(found?.bytes.subarray(start, end + 1) ?? [])]).stream();
      return facts && { ...facts, body };
    },
    remove: async (key) => {
      const keys = [...objects.keys()].filter((each) => (key.endsWith('/') ? each.startsWith(key) : each === key));
      for (const each of keys) objects.delete(each);
      return keys.length;
    },
  };
}
