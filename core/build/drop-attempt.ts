import { artifactKeys } from './artifact-keys.ts';
import type { Attempt, AttemptDeps } from './attempt.ts';

/**
 * Leaves a build that goes on without this runner. What the attempt made is removed, unless the row names it: a write
 * of this runner that was never answered may have ended the build, or may still do so.
 */
export async function dropAttempt({ artifacts, builds, queue, onEvent }: AttemptDeps, { running, message }: Attempt): Promise<void> {
  onEvent?.({ type: 'lost', build: running });
  const current = await builds.get(running.hash);
  if (!(current !== undefined && 'binDir' in current && current.binDir === running.binDir)) {
    // Where a runner may not remove objects, the backstop for old objects does.
    await artifacts.remove(artifactKeys.files(running.binDir)).catch(() => 0);
    await artifacts.remove(artifactKeys.records(running.binDir)).catch(() => 0);
  }
  await queue.acknowledge(message);
}
