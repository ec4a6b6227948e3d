import type { ArtifactStore, Clock } from '#core/stores.ts';
import { artifactKeys, resultMeta } from './artifact-keys.ts';
import { type DoneBuild, RESULT_MAX_AGE_SECONDS } from './build.ts';

export interface PublishResultDeps {
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
}

/**
 * The longest time that one write to the store takes with all its retries, and the most that the clocks of two machines
 * differ by.
 */
const SLOW_WRITE_SECONDS = 120;

/**
 * Publishes the result of a build that is done, unless the build expires so soon that the sweeper could remove the
 * document before the write arrives: such a document would stay, and name files that are gone. Never throws: a result
 * that is not published is answered from the attempt's own copy.
 */
export async function publishResult({ artifacts, now }: PublishResultDeps, build: DoneBuild, document: string): Promise<void> {
  const key = artifactKeys.result(build.hash);
  if (secondsLeft(build, now()) <= RESULT_MAX_AGE_SECONDS + SLOW_WRITE_SECONDS) return;
  await artifacts.put(key, document, resultMeta(build.isPrivate)).catch(() => undefined);
  // Only a process that was stopped in between is so late. If there is a new build by now, the next reader publishes
  // its result again.
  if (secondsLeft(build, now()) <= 0) await artifacts.remove(key).catch(() => 0);
}

/** Returns for how many seconds the build is still answered. */
export const secondsLeft = ({ expiresAt }: DoneBuild, now: Date): number => (Date.parse(expiresAt) - now.getTime()) / 1000;
