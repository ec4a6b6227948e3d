import { type BadRequestError, ForeignImagebuilderError, ImagebuilderNotPublishedError } from '#core/errors.ts';
import type { PreparedBuild } from './prepared-build.ts';

/** Returns why the request cannot be built now, if upstream has no ImageBuilder for its target. */
export function missingImagebuilder({
  resolved: { version, target, distro },
  valid: { record },
}: Pick<PreparedBuild, 'resolved' | 'valid'>): BadRequestError | undefined {
  if (record.imagebuilder !== undefined) return undefined;
  const { foreignImagebuilder: foreign } = record;
  return foreign === undefined
    ? new ImagebuilderNotPublishedError(version, target)
    : new ForeignImagebuilderError(version, target, distro, foreign);
}
