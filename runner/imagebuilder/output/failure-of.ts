import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { classifyFailure } from '#core/imagebuilder/classify-failure.ts';
import type { Fetched } from '#core/imagebuilder/download-troubles.ts';
import { outputLines } from '#core/imagebuilder/failure-analysis.ts';
import { imageErrorsOf } from '#core/imagebuilder/image-errors.ts';
import { unwrittenFiles } from '#core/imagebuilder/unwritten-files.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import type { CommandResult } from '../process/run-command.ts';

/** Returns the reason why a run of make left no image: the fault of the request, of the machine or of upstream. */
export function failureOf(
  run: CommandResult,
  { repositories, repositories_mode: mode }: Pick<BuildRequest, 'repositories' | 'repositories_mode'>,
  fetched: Fetched,
  files: readonly { readonly name: string }[] = [],
): BuildFailure | InfrastructureFailure {
  const { kind, detail, errors } = classifyFailure({ ...run, hasImages: files.some(isImage) }, repositories, fetched, mode);
  const evidence = errors === undefined ? {} : { errors };
  return kind === 'deterministic' ? new BuildFailure(detail, evidence) : new InfrastructureFailure(detail, { evidence });
}

/** ImageBuilder makes these files for every device, also when it makes no image. */
const BESIDE_IMAGES = /^(?:profiles\.json|sha256sums)$|\.(?:manifest|bom\.cdx\.json)$|-(?:rootfs\.(?:tar|cpio)\.gz|kernel\.bin)$/;

const isImage = ({ name }: { readonly name: string }): boolean => !BESIDE_IMAGES.test(name);

/**
 * Returns whether the output of a successful run says that its images are bad: one does not fit, a package's files are
 * missing in it, or the disk was full for a moment that the exit code does not show, and a file is cut off.
 */
export function saysOtherwise({ stdout, stderr }: CommandResult): boolean {
  const lines = outputLines(stdout, stderr);
  return (
    lines.some((line) => line.includes('No space left on device')) ||
    unwrittenFiles(lines) !== undefined ||
    imageErrorsOf(lines)?.errors.some(({ code }) => code === 'image_too_big') === true
  );
}
