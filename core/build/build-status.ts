import { BuildNotFoundError } from '#core/errors.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactStore, Clock } from '#core/stores.ts';
import { artifactKeys } from './artifact-keys.ts';
import {
  type Build,
  type CancelledBuild,
  type DoneBuild,
  type FailedBuild,
  isRetryable,
  type QueuedBuild,
  RESULT_MAX_AGE_SECONDS,
  type RunningBuild,
  rebuildPauseLeft,
} from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { isResultOf, readFailure, readResult } from './outcome-documents.ts';
import type { BuildTable, QueuePositions } from './ports.ts';
import { forAnswer } from './private-build-error.ts';
import { publishResult, secondsLeft } from './publish-result.ts';
import type { TimeOfBuild } from './time-of-builds.ts';

export interface BuildStatusDeps {
  readonly builds: BuildTable;
  readonly positions: QueuePositions;
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
  /** Default: `now`, which may be set back. */
  readonly timeOf?: TimeOfBuild;
  /** See `rebuildPauseLeft`. */
  readonly rebuildPauseSeconds?: () => number;
  /** Remembers results by `bin_dir`, under which they never change. */
  readonly results?: { get(binDir: string): string | undefined; set(binDir: string, document: string): unknown };
}

/** A build as clients see it. `document` is the stored answer, JSON text. */
export type BuildView =
  | { state: 'queued'; build: QueuedBuild; position: number }
  | { state: 'building'; build: RunningBuild; order: BuildOrder | undefined }
  /** `maxAgeSeconds`: how long caches may keep the answer. */
  | { state: 'done'; build: DoneBuild; document: string; maxAgeSeconds: number }
  /** `retryAfterSeconds`: for a failure without fault of its request, how long it is the answer before a rebuild. */
  | { state: 'failed'; build: FailedBuild; document: string | undefined; retryAfterSeconds?: number }
  | { state: 'cancelled'; build: CancelledBuild };

/**
 * Returns the state of a build. Throws `BuildNotFoundError` for a build that never was or has expired. An answer that
 * makes a client give up is read once more from the row as it is now: a table whose reads may be behind could still
 * show the failure before a rebuild. `isLatest` reads no other row than that.
 */
export async function getBuildStatus(deps: BuildStatusDeps, hash: RequestHash, { isLatest = false } = {}): Promise<BuildView> {
  if (!isLatest) {
    const seen = await deps.builds.get(hash);
    if (seen === undefined) throw new BuildNotFoundError();
    const view = isGivenUpOn(seen) ? undefined : await viewIfThere(deps, seen);
    if (view !== undefined) return view;
  }
  const build = await deps.builds.get(hash, { isLatest: true });
  if (build === undefined) throw new BuildNotFoundError();
  return viewBuild(deps, build);
}

const isGivenUpOn = ({ state }: Build): boolean => state === 'failed' || state === 'cancelled' || state === 'expiring';

const viewIfThere = (deps: BuildStatusDeps, build: Build): Promise<BuildView | undefined> =>
  viewBuild(deps, build).catch((error) => {
    if (error instanceof BuildNotFoundError) return undefined;
    throw error;
  });

/** The same for a row already read. */
export const viewBuild = (deps: BuildStatusDeps, build: Build): Promise<BuildView> =>
  viewOf(deps, build).catch((error) => {
    throw forAnswer(error, build);
  });

async function viewOf(deps: BuildStatusDeps, build: Build): Promise<BuildView> {
  switch (build.state) {
    case 'queued':
      return { state: 'queued', build, position: await deps.positions.ahead(build) };
    case 'building':
      return { state: 'building', build, order: await deps.builds.order(build.hash) };
    case 'done': {
      const document = secondsLeft(build, timeOf(deps, build)) > 0 ? await resultOf(deps, build) : undefined;
      // Reading takes time too.
      const left = secondsLeft(build, timeOf(deps, build));
      if (document === undefined || left <= 0) throw new BuildNotFoundError();
      return { state: 'done', build, document, maxAgeSeconds: Math.min(RESULT_MAX_AGE_SECONDS, Math.floor(left)) };
    }
    case 'failed': {
      const time = timeOf(deps, build);
      if (build.expiresAt <= time.toISOString()) throw new BuildNotFoundError();
      const document = build.binDir === undefined ? undefined : await readFailure(deps.artifacts, build.binDir);
      // A failure that would repeat invites no client to try again: `curl --retry` would sleep until it expires.
      if (!isRetryable(build)) return { state: 'failed', build, document };
      const pause = rebuildPauseLeft(build, time, deps.rebuildPauseSeconds?.());
      return { state: 'failed', build, document, retryAfterSeconds: Math.max(1, pause) };
    }
    case 'cancelled':
      return { state: 'cancelled', build };
    case 'expiring':
      throw new BuildNotFoundError();
  }
}

/** See `timeOfBuilds`. */
export const timeOf = (deps: Pick<BuildStatusDeps, 'now' | 'timeOf'>, build: Build): Date => deps.timeOf?.(build) ?? deps.now();

/**
 * Returns the published answer. Where a crash kept it from being published, returns the attempt's own copy and
 * publishes it for the next reader.
 */
async function resultOf(deps: BuildStatusDeps, build: DoneBuild): Promise<string | undefined> {
  const { artifacts, results } = deps;
  const remembered = results?.get(build.binDir);
  if (remembered !== undefined) return remembered;
  const published = await artifacts.read(artifactKeys.result(build.hash));
  const isOurs = published !== undefined && isResultOf(published, build.binDir);
  const document = isOurs ? published : await readResult(artifacts, build.binDir);
  if (document === undefined) return undefined;
  if (!isOurs) await publishResult({ artifacts, now: () => timeOf(deps, build) }, build, document);
  results?.set(build.binDir, document);
  return document;
}
