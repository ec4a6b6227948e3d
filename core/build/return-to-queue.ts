import { artifactKeys } from './artifact-keys.ts';
import type { Attempt, AttemptDeps } from './attempt.ts';
import { factsOf, type QueuedBuild } from './build.ts';
import { dropAttempt } from './drop-attempt.ts';
import { moveBuild } from './move-build.ts';

/**
 * Hands the build back because the runner shuts down: the attempt does not count, and the message is visible again at
 * once.
 */
export async function handBack(deps: AttemptDeps, attempt: Attempt): Promise<void> {
  const { running } = attempt;
  const queuedAt = deps.now().toISOString();
  const again: QueuedBuild = { ...factsOf(running), state: 'queued', attempt: running.attempt - 1, queuedAt };
  const onReturned = () => deps.onEvent?.({ type: 'handed-back', build: again });
  await returnToQueue(deps, attempt, again, { delaySeconds: 0, onReturned });
}

/**
 * Puts the build back into the queue without a `sentAt`: its message may be gone, if a runner received it a second time
 * and acknowledged it because the build was being built. Where the released message brings no other runner, the sweeper
 * sends a new one.
 */
export async function returnToQueue(
  deps: AttemptDeps,
  attempt: Attempt,
  again: QueuedBuild,
  { delaySeconds, onReturned }: { delaySeconds: number; onReturned: () => void },
): Promise<void> {
  const { artifacts, builds, queue } = deps;
  const { running, message } = attempt;
  const { moved } = await moveBuild(builds, running, again);
  if (!moved) return dropAttempt(deps, attempt);
  onReturned();
  // An attempt whose end could not be written has stored everything by now, its result too.
  await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
  await artifacts.remove(artifactKeys.records(running.binDir)).catch(() => 0);
  await queue.release(message, delaySeconds);
}
