import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { artifactKeys, fileMeta, recordMeta } from './artifact-keys.ts';
import type { RunningBuild } from './build.ts';

/** What uploading needs; `RunBuildDeps` has it. */
export interface UploadDeps {
  readonly artifacts: ArtifactStore;
  /** Calls back every so many milliseconds until stopped. */
  readonly every: (ms: number, call: () => void) => () => void;
  /** How long storing a build's files and log may take. Default `UPLOAD_SECONDS`. */
  readonly uploadSeconds?: number;
}

/** What builds may leave (4 GiB) takes this long at 7 MB a second. */
export const UPLOAD_SECONDS = 600;
/** The store takes far more; four keep a small runner's memory flat. */
const PARALLEL_UPLOADS = 4;
export const LOG_META = recordMeta('text/plain; charset=utf-8');

/**
 * Stores the files of a build, then its log. Throws the signal's reason when it aborts, and an `InfrastructureFailure` when it takes too
 * long; either way no upload is under way any more, so that nothing is stored after a clean-up.
 */
export async function uploadOutput(
  { artifacts, every, uploadSeconds = UPLOAD_SECONDS }: UploadDeps,
  { binDir, isPrivate }: RunningBuild,
  output: BuildOutput,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...output.files];
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const late = () => failed.abort(new InfrastructureFailure(`The files of the build could not be stored within ${uploadSeconds} seconds`));
  const stopWaiting = every(uploadSeconds * 1000, late);
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined && !stop.aborted; file = waiting.shift())
      await artifacts.putFile(artifactKeys.file(binDir, file.name), file.path, fileMeta(file.name, isPrivate), stop);
  };
  try {
    // The first failure stops the others, and is thrown when all have stopped: what they wrote after the clean-up would stay.
    await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, () => worker().catch((error) => failed.abort(error))));
    stop.throwIfAborted();
    if (output.logPath === undefined) return;
    await artifacts.putFile(artifactKeys.log(binDir), output.logPath, LOG_META, stop).catch((error) => failed.abort(error));
    stop.throwIfAborted();
  } finally {
    stopWaiting();
  }
}
