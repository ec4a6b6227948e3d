import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactStore } from '#core/ports.ts';
import { objectBody, streamOf } from './object-body.ts';
import { encodeHeader, HEADER_BYTES, READ_PLAIN, readFully, withObject } from './object-file.ts';
import { objectPath, writablePath } from './object-path.ts';
import { removeLeftovers, removeObject, removeTree } from './remove-objects.ts';
import { appendFile, writeObject } from './write-object.ts';

/** Not a plain segment, so no key leads there. */
const INCOMING = '~incoming';

/** A file that is being written is younger; one that a killed process left is deleted by the first write after this time. */
const LEFTOVER_MS = 3_600_000;

/** Up to here a body is read at once, synchronously, and no descriptor stays open. */
const SMALL_BYTES = 64 * 1024;

/**
 * Objects in a directory on a local disk, shared by any number of processes. An object's file holds a header besides its bytes
 * (`object-file.ts`). A key cannot be an object and the prefix of others at once. Everything is synced before it is visible.
 * The directory itself may be a link; below it none is followed.
 */
export function diskArtifactStore(directory: string): ArtifactStore {
  mkdirSync(join(directory, INCOMING), { recursive: true, mode: 0o700 });
  const root = realpathSync.native(directory);
  const incoming = join(root, INCOMING);
  let cleanedAt = 0;

  const write: typeof writeObject = async (...object) => {
    const now = Date.now();
    if (now - cleanedAt > LEFTOVER_MS) {
      cleanedAt = now;
      await removeLeftovers(incoming, new Date(now - LEFTOVER_MS));
    }
    return writeObject(...object);
  };

  const readBytes = (fd: number, start: number, length: number): Buffer => {
    // Not from the pool: what is handed out may be kept for long.
    const bytes = Buffer.allocUnsafeSlow(length);
    readFully(fd, bytes, HEADER_BYTES + start);
    return bytes;
  };

  return {
    async put(key, body, meta) {
      const path = writablePath(root, key);
      const bytes = Buffer.from(body);
      const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
      const header = encodeHeader({ etag, meta });
      await write(incoming, path, (file) => file.appendFile(Buffer.concat([header, bytes])));
    },

    async putFile(key, source, meta, signal) {
      const path = writablePath(root, key);
      // Names this write instead of the bytes: as strong, and nothing has to be hashed.
      const header = encodeHeader({ etag: `"${randomUUID()}"`, meta });
      await write(incoming, path, async (file) => {
        await file.appendFile(header);
        await appendFile(file, source, READ_PLAIN, signal);
      });
    },

    async read(key) {
      const path = objectPath(root, key);
      return path && withObject(path, ({ size }, fd) => ({ value: readBytes(fd, 0, size).toString('utf8') }));
    },

    async open(key, range) {
      const path = objectPath(root, key);
      if (path === undefined) return undefined;
      return withObject(path, (facts, fd) => {
        const { start, end } = range ?? { start: 0, end: facts.size - 1 };
        if (range && !(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < facts.size))
          throw new RangeError(`Bytes ${start}-${end} do not lie within an object of ${facts.size}`);
        const length = end - start + 1;
        if (length <= SMALL_BYTES) return { value: { ...facts, body: streamOf(readBytes(fd, start, length)) } };
        return { value: { ...facts, body: objectBody(fd, start, end) }, keep: true };
      });
    },

    async stat(key) {
      const path = objectPath(root, key);
      return path === undefined ? undefined : withObject(path, (facts) => ({ value: facts }));
    },

    async remove(key) {
      return key.endsWith('/') ? removeTree(incoming, writablePath(root, key.slice(0, -1))) : removeObject(writablePath(root, key));
    },
  };
}
