import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { classifyFailure, type OwnRepositories } from '#core/imagebuilder/classify-failure.ts';
import { outputLines } from '#core/imagebuilder/failure-analysis.ts';
import { imageErrorsOf } from '#core/imagebuilder/image-errors.ts';
import type { CommandResult } from '../process/run-command.ts';

/** Why a run of make did not leave an image: the request's fault, or the machine's or upstream's. */
export function failureOf(run: CommandResult, ownRepositories: OwnRepositories): BuildFailure | InfrastructureFailure {
  const { kind, detail, errors } = classifyFailure(run, ownRepositories);
  const evidence = errors === undefined ? {} : { errors };
  return kind === 'deterministic' ? new BuildFailure(detail, evidence) : new InfrastructureFailure(detail, { evidence });
}

/**
 * Whether a run that make exited from with 0 says that its images are no good: one does not fit, or the disk was full at a moment of which
 * the exit code says nothing, and what was written then is cut off.
 */
export function saysOtherwise({ stdout, stderr }: CommandResult): boolean {
  const lines = outputLines(stdout, stderr);
  return (
    lines.some((line) => line.includes('No space left on device')) ||
    imageErrorsOf(lines)?.errors.some(({ code }) => code === 'image_too_big') === true
  );
}
