import { existsSync, readFileSync } from 'node:fs';
import { lstat, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { usualMeta } from '#core/build/artifact-keys.ts';
import type { ArtifactMeta } from '#core/stores.ts';
import { identityOf } from './identity.ts';
import { metaDirectory, type ObjectPlace, objectPlace } from './object-place.ts';
import { syncDirectory } from './sync-directory.ts';

interface StoredMeta {
  readonly key: string;
  readonly meta: ArtifactMeta;
}

const textOf = ({ contentType, cacheControl, filename }: ArtifactMeta) => JSON.stringify([contentType, cacheControl, filename]);

/**
 * Stores the meta of an object, unless it is what follows from the key (`usualMeta`). The file's name is the identity
 * of the write that it belongs to: it can exist before the object does, and no reader takes it for the meta of another
 * write.
 */
export async function storeMeta({ root, key }: ObjectPlace, identity: string, meta: ArtifactMeta): Promise<void> {
  if (textOf(meta) === textOf(usualMeta(key))) return;
  const directory = metaDirectory(root);
  const file = await open(join(directory, identity), 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify({ key, meta } satisfies StoredMeta));
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
}

/**
 * Returns the meta of that write. Without stored meta, as for a file that another program put there, that is
 * `usualMeta`.
 */
export function storedMeta({ root, key }: ObjectPlace, identity: string): ArtifactMeta {
  const path = join(metaDirectory(root), identity);
  if (!existsSync(path)) return usualMeta(key);
  const stored = parse(readFileSync(path, 'utf8'));
  return stored?.key === key ? stored.meta : usualMeta(key);
}

export async function removeMeta({ root }: ObjectPlace, identity: string): Promise<void> {
  await rm(join(metaDirectory(root), identity), { force: true });
}

/**
 * Deletes meta that was written before `before` and whose object has been replaced or removed. The process that
 * replaces or removes an object does not do this at once, because a reader may have opened the old object and not yet
 * read its meta.
 */
export async function removeStaleMeta(root: string, before: Date): Promise<void> {
  const directory = metaDirectory(root);
  for (const identity of await readdir(directory)) {
    const path = join(directory, identity);
    // Another process may have deleted the file meanwhile.
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined || stat.mtime >= before) continue;
    const place = objectPlace(root, parse(await readFile(path, 'utf8').catch(() => ''))?.key ?? '');
    const object = place && (await lstat(place.path).catch(() => undefined));
    if (object === undefined || identityOf(object) !== identity) await rm(path, { force: true }).catch(() => undefined);
  }
}

/**
 * Returns what a file says, or `undefined` when it is incomplete: a crash cut it short, and its object was never
 * published.
 */
function parse(text: string): StoredMeta | undefined {
  try {
    return JSON.parse(text) as StoredMeta;
  } catch {
    return undefined;
  }
}
