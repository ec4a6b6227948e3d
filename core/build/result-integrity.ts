import type { BinDir } from '#core/request/request-hash.ts';
import type { ArtifactStore, Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { artifactKeys } from './artifact-keys.ts';

/** Whether all files that a result lists lie in the store, in the size that it says. */
export type IsWhole = (binDir: BinDir, document: string) => Promise<boolean>;

/** Only an operator deletes files of a result, and can wait for so long. */
const LOOK_AGAIN_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Looks once a minute for each result that is asked about. For a store in which looking is free. */
export function resultIntegrity({ artifacts, monotonic }: { artifacts: ArtifactStore; monotonic: Monotonic }): IsWhole {
  const seenAt = boundedMap<number>(MAX_REMEMBERED, () => 1);
  return async (binDir, document) => {
    const time = monotonic();
    if (time - (seenAt.get(binDir) ?? Number.NEGATIVE_INFINITY) < LOOK_AGAIN_MS) return true;
    const { files = [] } = JSON.parse(document) as { files?: readonly { name: string; size: number }[] };
    for (const { name, size } of files) if ((await artifacts.stat(artifactKeys.file(binDir, name)))?.size !== size) return false;
    seenAt.set(binDir, time);
    return true;
  };
}
