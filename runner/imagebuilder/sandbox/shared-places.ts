import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '#runner/files/remove-tree.ts';

/** Where everybody may leave files on a usual machine. */
export const SHARED_PLACES = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock'];

/** Removes what belongs to `uid` at the top of the shared places: what its builds left there. */
export async function clearSharedPlaces(uid: number): Promise<void> {
  for (const place of SHARED_PLACES)
    for (const name of await readdir(place).catch(() => [])) {
      const path = join(place, name);
      if ((await lstat(path).catch(() => undefined))?.uid === uid) await removeTree(path).catch(() => undefined);
    }
}
