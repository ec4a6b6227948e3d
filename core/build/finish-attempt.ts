import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import { artifactKeys, recordMeta } from './artifact-keys.ts';
import { type Attempt, type AttemptDeps, after } from './attempt.ts';
import { type DoneBuild, factsOf } from './build.ts';
import { dropAttempt } from './drop-attempt.ts';
import { moveBuild } from './move-build.ts';
import { resultDocument } from './outcome-documents.ts';
import { publishResult } from './publish-result.ts';
import { resultSeconds } from './times-to-live.ts';

/**
 * Ends the build as done: stores the result, writes the row, publishes the result, and only then acknowledges the
 * message.
 */
export async function finishAttempt(deps: AttemptDeps, attempt: Attempt, output: BuildOutput): Promise<void> {
  const { artifacts, builds, queue, timesToLive } = deps;
  const { running, order, message, begunAt } = attempt;
  const finishedAt = deps.now();
  const seconds = (deps.monotonic() - begunAt) / 1000;
  const done: DoneBuild = {
    ...factsOf(running),
    state: 'done',
    startedAt: running.startedAt,
    finishedAt: finishedAt.toISOString(),
    binDir: running.binDir,
    expiresAt: after(finishedAt, resultSeconds(timesToLive, running, order)),
  };
  const document = JSON.stringify(resultDocument(order, done, output));
  await artifacts.put(artifactKeys.success(running.binDir), document, recordMeta('application/json'));
  if (hasNewerFeeds(output)) await deps.onUpstreamChanged?.(order, finishedAt);
  const { moved } = await moveBuild(builds, running, done);
  if (!moved) return dropAttempt(deps, attempt);
  // The build is done. If anything fails from here on (a crash, a full disk), the next reader of the row makes up for
  // it.
  await publishResult(deps, done, document);
  await queue.acknowledge(message).catch(() => undefined);
  deps.onEvent?.({ type: 'done', build: done, order, output, seconds });
}

const hasNewerFeeds = ({ warnings = [] }: BuildOutput): boolean => warnings.some(({ code }) => code === 'feeds_changed');
