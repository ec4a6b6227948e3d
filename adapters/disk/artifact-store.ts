import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { removeStaleMeta } from './stored-meta.ts';
import { objectBody, streamOf } from './object-body.ts';
import { READ_PLAIN, readFully, withObject } from './object-file.ts';
import { incomingDirectory, metaDirectory, type ObjectPlace, objectPlace, writablePlace } from './object-place.ts';
import { removeLeftovers, removeObject, removeTree } from './remove-objects.ts';
import { appendFile, writeObject } from './write-object.ts';

/** A file that is being written is younger; one that a killed process left is deleted by the first write after this time. */
const LEFTOVER_MS = 3_600_000;

/** Up to here a body is read at once, synchronously, and no descriptor stays open. */
const SMALL_BYTES = 64 * 1024;

/**
 * Objects in a directory on a local disk, shared by any number of processes: the file at `<directory>/<key>` holds exactly
 * the object's bytes, so a web server or scp can take the images as they lie (`store/<bin_dir>/<file>`, as in the reference
 * server's public_path). Below `store/` files are readable by everybody who gets into the directory, which itself is made
 * for its owner alone; all else is private. Meta that the key does not say lies in `~meta/` (`stored-meta.ts`). A file that
 * somebody else put there is an object like any other.
 * A key cannot be an object and the prefix of others at once. Everything is synced before it is visible. The directory
 * itself may be a link; below it none is followed.
 */
export function diskArtifactStore(directory: string): ArtifactStore {
  mkdirSync(incomingDirectory(directory), { recursive: true, mode: 0o700 });
  mkdirSync(metaDirectory(directory), { recursive: true, mode: 0o700 });
  const root = realpathSync.native(directory);
  let cleanedAt = Number.NEGATIVE_INFINITY;
  const inProgress = new Set<string>();

  const write = async (place: ObjectPlace, meta: ArtifactMeta, fill: (file: FileHandle) => Promise<void>): Promise<void> => {
    if (performance.now() - cleanedAt > LEFTOVER_MS) {
      cleanedAt = performance.now();
      const before = new Date(Date.now() - LEFTOVER_MS);
      await removeLeftovers(incomingDirectory(root), before, inProgress);
      await removeStaleMeta(root, before);
    }
    const name = randomUUID();
    inProgress.add(name);
    try {
      await writeObject(place, name, meta, fill);
    } finally {
      inProgress.delete(name);
    }
  };

  const readBytes = (fd: number, start: number, length: number): Buffer => {
    // Not from the pool: what is handed out may be kept for long.
    const bytes = Buffer.allocUnsafeSlow(length);
    readFully(fd, bytes, start);
    return bytes;
  };

  return {
    async put(key, body, meta) {
      const place = writablePlace(root, key);
      await write(place, meta, (file) => file.appendFile(body));
    },

    async putFile(key, source, meta, signal) {
      const place = writablePlace(root, key);
      await write(place, meta, (file) => appendFile(file, source, READ_PLAIN, signal));
    },

    async read(key) {
      const place = objectPlace(root, key);
      return place && withObject(place, ({ size }, fd) => ({ value: readBytes(fd, 0, size).toString('utf8') }));
    },

    async open(key, range) {
      const place = objectPlace(root, key);
      if (place === undefined) return undefined;
      return withObject(place, (facts, fd) => {
        const { start, end } = range ?? { start: 0, end: facts.size - 1 };
        if (range && !(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < facts.size))
          throw new RangeError(`Bytes ${start}-${end} do not lie within an object of ${facts.size}`);
        const length = end - start + 1;
        if (length <= SMALL_BYTES) return { value: { ...facts, body: streamOf(readBytes(fd, start, length)) } };
        return { value: { ...facts, body: objectBody(fd, start, end) }, keep: true };
      });
    },

    async stat(key) {
      const place = objectPlace(root, key);
      return place && withObject(place, (facts) => ({ value: facts }));
    },

    async remove(key) {
      if (key.endsWith('/')) return removeTree(writablePlace(root, key.slice(0, -1)));
      return removeObject(writablePlace(root, key));
    },
  };
}
