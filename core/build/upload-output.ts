import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { artifactKeys, fileMeta, recordMeta } from './artifact-keys.ts';
import type { RunningBuild } from './build.ts';

/** The parts that uploading needs; `AttemptDeps` has them. */
export interface UploadDeps {
  readonly artifacts: ArtifactStore;
  /** Calls back every so many milliseconds until stopped. */
  readonly every: (ms: number, call: () => void) => () => void;
  /** How long storing a build's files and log may take. Default `UPLOAD_SECONDS`. */
  readonly uploadSeconds?: number;
}

/** Enough for the most that a build may leave (4 GiB) at 7 MB a second. */
export const UPLOAD_SECONDS = 600;
/** The store takes far more at once; four keep the memory of a small runner flat. */
const PARALLEL_UPLOADS = 4;
const LOG_META = recordMeta('text/plain; charset=utf-8');

/**
 * Stores the files of a build, then its log. Throws the signal's reason when it aborts, and an `InfrastructureFailure`
 * when it takes too long. Either way no upload is in progress any more, so that nothing is stored after a clean-up.
 */
export const uploadOutput = (
  deps: UploadDeps,
  { binDir, isPrivate }: RunningBuild,
  output: BuildOutput,
  signal: AbortSignal,
): Promise<void> =>
  inTime(deps, signal, async (stop, fail) => {
    const waiting = [...output.files];
    const worker = async () => {
      for (let file = waiting.shift(); file !== undefined && !stop.aborted; file = waiting.shift())
        await deps.artifacts.putFile(artifactKeys.file(binDir, file.name), file.path, fileMeta(file.name, isPrivate), stop);
    };
    // The first failure stops the others, and is thrown when all have stopped: anything they wrote after the clean-up
    // would stay.
    await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, () => worker().catch(fail)));
    if (output.logPath !== undefined && !stop.aborted)
      await deps.artifacts.putFile(artifactKeys.log(binDir), output.logPath, LOG_META, stop).catch(fail);
  });

/** Stores the log of a build that failed; throws as `uploadOutput` does. */
export const uploadLog = (deps: UploadDeps, { binDir }: RunningBuild, path: string): Promise<void> =>
  inTime(deps, undefined, (stop, fail) => deps.artifacts.putFile(artifactKeys.log(binDir), path, LOG_META, stop).catch(fail));

/**
 * Runs `store`, whose uploads end when `stop` aborts; `fail` makes it abort. Throws the reason when all uploads are
 * over.
 */
async function inTime(
  { every, uploadSeconds = UPLOAD_SECONDS }: UploadDeps,
  signal: AbortSignal | undefined,
  store: (stop: AbortSignal, fail: (error: unknown) => void) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const late = () => failed.abort(new InfrastructureFailure(`The files of the build could not be stored within ${uploadSeconds} seconds`));
  const stopWaiting = every(uploadSeconds * 1000, late);
  try {
    await store(stop, (error) => failed.abort(error));
    stop.throwIfAborted();
  } finally {
    stopWaiting();
  }
}
