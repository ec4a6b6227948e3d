import { randomUUID } from 'node:crypto';
import { lstat, opendir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Leftover } from '#runner/files/disposal.ts';
import { removeTree } from '#runner/files/remove-tree.ts';

/** The directories where every user may leave files on a typical machine. */
export const SHARED_PLACES: readonly string[] = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock'];

/** The time limit on the removal. */
const PATIENCE_MS = 30_000;

/** The limit on entries at the top of the shared places. A build that leaves more is an attack. */
const MAX_PATHS = 1000;

/**
 * Returns the paths of what belongs to `uid` at the top of the shared places. It throws when there are too many, or a
 * name that is not text.
 */
export async function inSharedPlaces(uid: number, places = SHARED_PLACES): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { place, name } of owned(uid, places)) {
    if (paths.length === MAX_PATHS) throw new Error(`more than ${MAX_PATHS} files in ${places.join(', ')}`);
    if (!isText(name)) throw new Error(`a name that is no text in ${place}`);
    paths.push(join(place, name.toString()));
  }
  return paths;
}

/** Removes what builds of `uid` left at the top of the shared places. Returns what it could not remove in time. */
export async function clearSharedPlaces(
  uid: number,
  places = SHARED_PLACES,
  signal = AbortSignal.timeout(PATIENCE_MS),
): Promise<Leftover[]> {
  const left: Leftover[] = [];
  const note = (path: string, error: unknown) => {
    const reason = signal.aborted ? 'it takes too long to remove' : error instanceof Error ? error.message : String(error);
    left.push({ path, reason, keptAt: path });
  };
  try {
    for await (const { place, name } of owned(uid, places)) {
      const path = join(place, isText(name) ? name.toString() : `asu-left.${randomUUID()}`);
      if (!isText(name)) await rename(bytesOf(place, name), path);
      await removeTree(path, signal).catch((error: unknown) => note(path, error));
      if (signal.aborted) break;
    }
  } catch (error) {
    note(places.join(', '), error);
  }
  return left;
}

interface Entry {
  readonly place: string;
  readonly name: Buffer;
}

/** Yields the entries of `uid` one by one, because a build may have created millions. */
async function* owned(uid: number, places: readonly string[]): AsyncGenerator<Entry> {
  for (const place of places) {
    // Node's types do not declare names as bytes.
    const directory = await opendir(place, { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }).catch(() => undefined);
    for await (const entry of directory ?? []) {
      const name = entry.name as unknown as Buffer;
      if ((await lstat(bytesOf(place, name)).catch(() => undefined))?.uid === uid) yield { place, name };
    }
  }
}

const bytesOf = (place: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${place}/`), name]);

const isText = (name: Buffer): boolean => Buffer.from(name.toString()).equals(name);
