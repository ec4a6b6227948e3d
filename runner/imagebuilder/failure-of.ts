import { BuildFailure, InfrastructureFailure } from '#core/build-output.ts';
import type { FailureAnalysis } from '#core/imagebuilder/failure-analysis.ts';
import { analyseImageErrors } from '#core/imagebuilder/image-errors.ts';
import { analysePackageErrors } from '#core/imagebuilder/package-errors.ts';
import type { CommandResult } from './run-command.ts';

/** The libc's own words: any tool may say them. */
const DISK_FULL = ['No space left on device', 'Disk quota exceeded'];
const NO_FEEDS = ['*** Failed to download the package list from', 'WARNING: updating and opening'];

/** Why a run of make did not leave an image: the request's fault, or the machine's or upstream's. */
export function failureOf({ exitCode, stdout, stderr }: CommandResult): BuildFailure | InfrastructureFailure {
  const says = (texts: readonly string[]) => texts.some((text) => stderr.includes(text) || stdout.includes(text));
  if (says(DISK_FULL)) return new InfrastructureFailure('The disk is full');
  const image = analyseImageErrors(stderr, stdout);
  if (image !== undefined) return refused(image);
  // Without its feeds ImageBuilder finds every package missing.
  if (says(NO_FEEDS)) return new InfrastructureFailure('Error while building firmware: the package feeds cannot be downloaded');
  const packages = analysePackageErrors(stderr, stdout);
  if (packages !== undefined) return refused(packages);
  return exitCode === 0
    ? new InfrastructureFailure('ImageBuilder ended well but left no image of the profile', { isFinal: true })
    : new InfrastructureFailure(`Error while building firmware (make exited with ${exitCode ?? 'a signal'}). See stdout/stderr`);
}

/** An image that does not fit is told by text alone: make exits with 0. */
export const isTooBig = ({ stdout, stderr }: CommandResult): boolean =>
  analyseImageErrors(stderr, stdout)?.errors.some(({ code }) => code === 'image_too_big') === true;

const refused = ({ detail, errors }: FailureAnalysis): BuildFailure => new BuildFailure(detail, { errors });
