import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { objectBody, streamOf } from './object-body.ts';
import { READ_PLAIN, readFully, withObject } from './object-file.ts';
import { incomingDirectory, metaDirectory, type ObjectPlace, objectPlace, writablePlace } from './object-place.ts';
import { removeLeftovers, removeObject, removeTree } from './remove-objects.ts';
import { removeStaleMeta } from './stored-meta.ts';
import { appendFile, writeObject } from './write-object.ts';

/**
 * The age at which an incoming file counts as left behind by a killed process: a file that is still being written is
 * younger. The first write after this time deletes such files.
 */
const LEFTOVER_MS = 3_600_000;

/** The largest body that is read at once and synchronously, so that no descriptor stays open. */
const SMALL_BYTES = 64 * 1024;

/**
 * Returns a store of objects in a directory on a local disk, which any number of processes may share. The file at
 * `<directory>/<key>` holds exactly the object's bytes, so a web server or scp can serve the images from there
 * (`store/<bin_dir>/<file>`, as in the reference server's public_path). Only the owner can enter the directory when it
 * is new; the files below `store/` can be read by every user who can enter it, all others by the owner only. Meta that
 * does not follow from the key is in `~meta/` (`stored-meta.ts`). A file that another program put there is an object
 * like any other. A key cannot be both an object and the prefix of others. Everything is synced before it becomes
 * visible. The directory itself may be a symbolic link; the store follows no link below it.
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
    // Not from Node's buffer pool: the caller may keep these bytes for long, and would keep a whole pool slab alive.
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
