import { artifactKeys, resultMeta } from './artifact-keys.ts';
import {
  type Build,
  type CancelledBuild,
  type DoneBuild,
  type FailedBuild,
  isWorthAnotherTry,
  type QueuedBuild,
  type RequestHash,
  type RunningBuild,
  rebuildPauseLeft,
} from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { BuildNotFoundError } from './errors.ts';
import { isOutcomeOf } from './outcome.ts';
import type { ArtifactStore, BuildTable, Clock, QueuePositions } from './ports.ts';

export interface BuildStatusDeps {
  readonly builds: BuildTable;
  readonly positions: QueuePositions;
  readonly artifacts: ArtifactStore;
  readonly now: Clock;
  /** See `rebuildPauseLeft`. */
  readonly rebuildPauseSeconds?: () => number;
  /** Remembers results by `bin_dir`, under which they never change. */
  readonly results?: { get(binDir: string): string | undefined; set(binDir: string, document: string): unknown };
}

/** A build as clients are told of it. `document` is the stored answer, JSON text. */
export type BuildView =
  | { state: 'queued'; build: QueuedBuild; position: number }
  | { state: 'building'; build: RunningBuild; order: BuildOrder | undefined }
  | { state: 'done'; build: DoneBuild; document: string }
  /** `retryAfterSeconds`: it may be asked for again, but not sooner. */
  | { state: 'failed'; build: FailedBuild; document: string | undefined; retryAfterSeconds: number | undefined }
  | { state: 'cancelled'; build: CancelledBuild };

/** What has become of a build. Throws `BuildNotFoundError` for one that never was or has expired. */
export async function buildStatus(deps: BuildStatusDeps, hash: RequestHash): Promise<BuildView> {
  const build = await deps.builds.get(hash);
  if (build === undefined) throw new BuildNotFoundError();
  return viewBuild(deps, build);
}

/** The same for a row already read. */
export async function viewBuild(deps: BuildStatusDeps, build: Build): Promise<BuildView> {
  switch (build.state) {
    case 'queued':
      return { state: 'queued', build, position: await deps.positions.ahead(build) };
    case 'building':
      return { state: 'building', build, order: await deps.builds.order(build.hash) };
    case 'done': {
      const document = build.expiresAt > deps.now().toISOString() ? await resultOf(deps, build) : undefined;
      if (document === undefined) throw new BuildNotFoundError();
      return { state: 'done', build, document };
    }
    case 'failed': {
      if (build.expiresAt <= deps.now().toISOString()) throw new BuildNotFoundError();
      const document = build.binDir === undefined ? undefined : await deps.artifacts.read(artifactKeys.outcome(build.binDir));
      const pause = isWorthAnotherTry(build) ? rebuildPauseLeft(build, deps.now(), deps.rebuildPauseSeconds?.()) : undefined;
      return { state: 'failed', build, document, retryAfterSeconds: pause === undefined ? undefined : Math.max(1, pause) };
    }
    case 'cancelled':
      return { state: 'cancelled', build };
    case 'expiring':
      throw new BuildNotFoundError();
  }
}

/** The published answer; where a crash kept it from being published, the attempt's own copy, which is published on the way. */
async function resultOf({ artifacts, results }: BuildStatusDeps, build: DoneBuild): Promise<string | undefined> {
  const remembered = results?.get(build.binDir);
  if (remembered !== undefined) return remembered;
  const published = await artifacts.read(artifactKeys.result(build.hash));
  const isOurs = published !== undefined && isOutcomeOf(published, build.binDir);
  const document = isOurs ? published : await artifacts.read(artifactKeys.outcome(build.binDir));
  if (document === undefined) return undefined;
  // Publishing is for the next asker: this one has the answer, whether there is room for it or not.
  if (!isOurs) await artifacts.put(artifactKeys.result(build.hash), document, resultMeta(build.isPrivate)).catch(() => undefined);
  results?.set(build.binDir, document);
  return document;
}
