import { BuildFailure, InfrastructureFailure } from '#core/build-output.ts';
import { classifyFailure, type OwnRepositories } from '#core/imagebuilder/classify-failure.ts';
import { outputLines } from '#core/imagebuilder/failure-analysis.ts';
import { analyseImageErrors } from '#core/imagebuilder/image-errors.ts';
import type { CommandResult } from './run-command.ts';

/** Why a run of make did not leave an image: the request's fault, or the machine's or upstream's. */
export function failureOf(
  run: CommandResult & { isOffline?: boolean },
  ownRepositories: OwnRepositories,
): BuildFailure | InfrastructureFailure {
  const { kind, detail, errors } = classifyFailure(run, ownRepositories);
  const evidence = errors === undefined ? {} : { errors };
  return kind === 'deterministic' ? new BuildFailure(detail, evidence) : new InfrastructureFailure(detail, { evidence });
}

/** An image that does not fit is told by text alone: make exits with 0. */
export const isTooBig = ({ stdout, stderr }: CommandResult): boolean =>
  analyseImageErrors(stderr, stdout)?.errors.some(({ code }) => code === 'image_too_big') === true;

/** The disk was full at a moment of which make's exit code says nothing: what was written then is cut off. */
export const ranOutOfRoom = ({ stdout, stderr }: CommandResult): boolean =>
  outputLines(stdout, stderr).some((line) => line.includes('No space left on device'));
