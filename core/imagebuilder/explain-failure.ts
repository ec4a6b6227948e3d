import { BuildFailure, InfrastructureFailure } from './build-output.ts';
import { downloadTroubles, type Fetched } from './download-troubles.ts';
import { explainProblems, type FailedBuildFacts } from './explain-problems.ts';
import { failedDownloads } from './failed-downloads.ts';
import type { BuildProblem } from './failure-analysis.ts';
import type { OwnRepositories } from './faulty-repositories.ts';
import { UpstreamChangedFailure } from './upstream-changed-failure.ts';

export interface FailureFacts extends Omit<FailedBuildFacts, 'listed' | 'sufficientSizeMb'> {
  /** The files that the server fetched for the build. */
  readonly fetched: Fetched;
  /** The client's own repositories. */
  readonly repositories: OwnRepositories;
}

const SUFFICIENT_SIZE = /\ba rootfs_size_mb of (\d+) is enough\b/;

/**
 * Returns the failure of a build with each of its problems explained: the package that it is about, what leads to it, and
 * what the client can do. A failure to download names the files and their feeds. Any other error is returned as it is.
 */
export function explainFailure(error: unknown, { fetched, repositories, ...facts }: FailureFacts): unknown {
  if (!(error instanceof BuildFailure || error instanceof InfrastructureFailure)) return error;
  const size = SUFFICIENT_SIZE.exec(error.message)?.[1];
  const problems = (error.evidence.errors as readonly BuildProblem[] | undefined) ?? downloadsOf(error, facts.lines, fetched, repositories);
  if (problems.length === 0) return error;
  const errors = explainProblems(problems, {
    ...facts,
    listed: fetched.listed,
    ...(size !== undefined && { sufficientSizeMb: Number(size) }),
  });
  const evidence = { ...error.evidence, errors };
  if (error instanceof BuildFailure) return new BuildFailure(error.message, evidence, { cause: error.cause });
  const Kind = error instanceof UpstreamChangedFailure ? UpstreamChangedFailure : InfrastructureFailure;
  return new Kind(error.message, { cause: error.cause, isFinal: error.isFinal, evidence });
}

/** Returns the files that could not be downloaded, if the failure is about one of them. */
function downloadsOf(error: Error, lines: readonly string[], fetched: Fetched, repositories: OwnRepositories): BuildProblem[] {
  const downloads = failedDownloads(downloadTroubles(lines, fetched), repositories);
  return error instanceof InfrastructureFailure && downloads.some(({ message }) => message === error.message) ? downloads : [];
}
