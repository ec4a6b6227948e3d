import type { Clock } from '#core/stores.ts';
import type { QueuedBuild } from './build.ts';
import type { BuildQueue, BuildTable } from './ports.ts';

export interface SendAgainDeps {
  readonly builds: BuildTable;
  readonly queue: BuildQueue;
  readonly now: Clock;
}

/**
 * Sends a message for a build that waits without one, and notes that it was sent. A second message for a build does no
 * harm.
 */
export async function sendAgain({ builds, queue, now }: SendAgainDeps, build: QueuedBuild): Promise<'sent'> {
  await queue.send({ hash: build.hash, correlationId: build.correlationId });
  await builds.transition(build, { ...build, sentAt: now().toISOString() });
  return 'sent';
}
