import { randomUUID } from 'node:crypto';
import { abiNoter } from '#core/build/note-abi.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import type { RunEvent } from '#core/build/run-event.ts';
import { sightings } from '#core/build/sightings.ts';
import { recoverAllBuilds } from '#core/build/sweep.ts';
import { imagebuilderAbi } from '#core/package-solver/imagebuilder-abi.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import { logSweep } from '#functions/maintenance/log-maintenance.ts';
import { maintain } from '#functions/maintenance/maintain.ts';
import { logRunEvent } from '#observe/log-run-event.ts';
import { runWorkers } from '#runner/run-workers.ts';
import { removeUnreferenced } from './remove-unreferenced.ts';
import type { ServerParts } from './server-parts.ts';

export interface BackgroundParts extends ServerParts {
  readonly imageMaker: ImageMaker;
  /** Whether builds that are in progress at the start belong to no process and may go on at once. */
  readonly isAlone: boolean;
}

/** Counts of requests that a `kill -9` can lose. Builds are counted at once. */
const FLUSH_EVERY_MS = 1_000;

/**
 * Starts what a standalone server does besides answering: it builds, sweeps, removes old artefacts and writes counts.
 * Returns what stops all of it; that promise settles when builds in progress are back in the queue.
 */
export async function runBackground(parts: BackgroundParts): Promise<() => Promise<void>> {
  const { config, settings, state, log, metrics, recorder } = parts;
  const { builds, queue, artifacts, now, monotonic } = state;
  const shared = { builds, queue, artifacts, now, monotonic, timesToLive: settings.timesToLive };
  const sweeping = {
    sweep: state.sweep,
    sightings: sightings(monotonic),
    newSweepId: randomUUID,
    longestPauseSeconds: Math.max(0, ...config.RETRY_DELAYS),
  };
  const onError = (error: unknown) => log.error('state could not be used', { error });
  if (parts.isAlone) {
    const recovered = await recoverAllBuilds({ ...shared, ...sweeping });
    if (recovered > 0) log.info('builds of an earlier run returned to the queue', { builds: recovered });
  }

  const noteAbi = abiNoter(imagebuilderAbi(state.records), (error) => log.warn('facts of an ImageBuilder could not be noted', { error }));
  const onEvent = (event: RunEvent) => {
    logRunEvent(log, event);
    metrics.onRunEvent(event);
    recorder.onRunEvent(event);
    if (event.type !== 'done') return;
    noteAbi(event);
    state.pace.record(event.seconds).catch((error) => log.warn('build pace could not be recorded', { error }));
  };
  const onSwept = logSweep({ log, metrics });
  const every = (ms: number, call: () => void) => {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  };
  const stop = new AbortController();
  const loops = [
    runWorkers(
      {
        ...shared,
        leaseSeconds: config.LEASE,
        retryDelaysSeconds: config.RETRY_DELAYS,
        uploadSeconds: config.UPLOAD_TIMEOUT,
        imageMaker: parts.imageMaker,
        newAttemptId: randomUUID,
        every,
        onUpstreamChanged: parts.upstreamChanges.send,
        onEvent,
        onSlots: metrics.onSlots,
        onError,
      },
      config.WORKER_CONCURRENT,
      stop.signal,
    ),
    maintain(
      {
        ...shared,
        ...sweeping,
        onSwept: (swept) => {
          onSwept(swept);
          reconcileBuilds({ statistics: state.statistics, builds, branches: () => settings.policy.branches, now }).catch(onError);
        },
        onError,
      },
      stop.signal,
      config.SWEEP_EVERY * 1000,
    ),
    removeUnreferenced(
      {
        ...shared,
        directory: config.artifactDir,
        onRemoved: (count) => log.warn('artefacts removed that nobody referred to', { count }),
        onError: (error) => log.error('old artefacts could not be removed', { error }),
      },
      stop.signal,
    ),
  ];
  const stopFlushing = every(FLUSH_EVERY_MS, () => void recorder.flush());
  return async () => {
    stop.abort();
    await Promise.all(loops);
    stopFlushing();
  };
}
