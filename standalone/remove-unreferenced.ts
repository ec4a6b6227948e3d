import { removeOldArtifacts } from '#adapters/disk/remove-old-artifacts.ts';
import { readFailure, readResult } from '#core/build/outcome-documents.ts';
import type { BuildTable } from '#core/build/ports.ts';
import { PrivateBuildError } from '#core/build/private-build-error.ts';
import type { TimesToLive } from '#core/build/times-to-live.ts';
import { type BinDir, RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactStore, Clock } from '#core/stores.ts';
import { pause } from '#lib/pause.ts';

export interface RemoveUnreferencedDeps {
  readonly directory: string;
  readonly artifacts: ArtifactStore;
  readonly builds: BuildTable;
  readonly timesToLive: TimesToLive;
  readonly now: Clock;
  readonly onRemoved: (count: number) => void;
  /** Called with each failure, without its text: no row says whose the objects are. */
  readonly onError: (error: unknown) => void;
}

const DAY_SECONDS = 86_400;
/** How much longer than the sweeper this waits, so that the sweeper has long had its turn. */
const GRACE_SECONDS = 7 * DAY_SECONDS;

/**
 * Removes, at once and then daily until `stop` aborts, objects that should have expired a week ago and that no row
 * refers to. On AWS a lifecycle rule of the bucket does this. A build that was accepted under a longer time to live
 * still has its row, and stays.
 */
export async function removeUnreferenced(deps: RemoveUnreferencedDeps, stop: AbortSignal): Promise<void> {
  const { directory, artifacts, builds, now, timesToLive } = deps;
  const inUse = {
    result: async (hash: string) => (await builds.get(RequestHash.parse(hash))) !== undefined,
    attempt: async (name: string) => {
      const hash = requestHashIn((await readResult(artifacts, name as BinDir)) ?? (await readFailure(artifacts, name as BinDir)));
      const build = hash && (await builds.get(hash));
      return build !== undefined && 'binDir' in build && build.binDir === name;
    },
  };
  const onError = (error: unknown) => deps.onError(new PrivateBuildError(error));
  while (!stop.aborted) {
    try {
      const ageSeconds = Math.max(...Object.values(timesToLive)) + GRACE_SECONDS;
      const removed = await removeOldArtifacts(directory, new Date(now().getTime() - ageSeconds * 1000), inUse, onError);
      if (removed > 0) deps.onRemoved(removed);
    } catch (error) {
      onError(error);
    }
    await pause(DAY_SECONDS * 1000, stop);
  }
}

function requestHashIn(outcome: string | undefined): RequestHash | undefined {
  try {
    return RequestHash.safeParse(JSON.parse(outcome ?? 'null')?.request_hash).data;
  } catch {
    return undefined;
  }
}
