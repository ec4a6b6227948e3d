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
 * Writes the meta of an object down if it is not what the key says anyway (`usualMeta`). The file is named by the one write
 * it belongs to, so that it can lie there before the object does, and no reader takes the meta of one write for another's.
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

/** The meta of that write; for one without, and for a file that somebody else put there, the usual. */
export function storedMeta({ root, key }: ObjectPlace, identity: string): ArtifactMeta {
  const path = join(metaDirectory(root), identity);
  if (!existsSync(path)) return usualMeta(key);
  const kept = parse(readFileSync(path, 'utf8'));
  return kept?.key === key ? kept.meta : usualMeta(key);
}

export async function removeMeta({ root }: ObjectPlace, identity: string): Promise<void> {
  await rm(join(metaDirectory(root), identity), { force: true });
}

/**
 * Deletes meta whose object was replaced or removed, if it was written before `before`. Not done at once by whoever replaces
 * or removes: a reader may have opened the old object and not yet read its meta.
 */
export async function removeStaleMeta(root: string, before: Date): Promise<void> {
  const directory = metaDirectory(root);
  for (const identity of await readdir(directory)) {
    const path = join(directory, identity);
    // Another process may be doing the same.
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined || stat.mtime >= before) continue;
    const place = objectPlace(root, parse(await readFile(path, 'utf8').catch(() => ''))?.key ?? '');
    const object = place && (await lstat(place.path).catch(() => undefined));
    if (object === undefined || identityOf(object) !== identity) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** A file that a crash cut short belongs to an object that was never published. */
function parse(text: string): StoredMeta | undefined {
  try {
    return JSON.parse(text) as StoredMeta;
  } catch {
    return undefined;
  }
}
