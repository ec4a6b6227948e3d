import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { FailedBuild } from './build.ts';

const MAX_DETAIL_LENGTH = 500;

/**
 * Returns the failure in words for the row. An unexpected error may name paths of the server: its text is for the log
 * alone.
 */
export function failureDetail(error: unknown): string {
  const text =
    error instanceof BuildFailure || error instanceof InfrastructureFailure
      ? error.message
      : 'the build could not be run; the reason is in the log of the server';
  return `Error: ${text}`.slice(0, MAX_DETAIL_LENGTH);
}

/**
 * Returns the failure in words for a dead letter. Dead letters outlive the build, so those of private builds do not
 * name its packages.
 */
export const burialReason = ({ isPrivate, detail }: FailedBuild): string => (isPrivate ? 'Error: a private build failed' : detail);
