import { AsuError, UnsupportedVersionError } from '#core/errors.ts';
import { type Branch, branchOf, versionPath } from './branches.ts';
import type { Catalogue, Freshness } from './catalogue.ts';
import { isKnownVersion } from './versions.ts';

export class RevisionNotFoundError extends AsuError {
  readonly status = 404;
  readonly title = 'Not Found';
  constructor(version: string, target: string) {
    super(`Failed to fetch revision for ${version}/${target}`);
  }
}

/**
 * Reads the revision that upstream has now, for `GET /api/v1/revision/{version}/{target}/{subtarget}`. LuCI compares
 * the number in it.
 */
export async function readRevision(
  { catalogue, branches }: { catalogue: Catalogue; branches: readonly Branch[] },
  version: string,
  target: string,
): Promise<{ revision: string }> {
  const branch = branchOf(version, branches);
  if (branch === undefined || !branch.enabled) throw new UnsupportedVersionError(version);
  const isKnown = async (freshness?: Freshness) => isKnownVersion(version, await catalogue.versions(freshness), branches);
  // The server does not look for a version that it does not offer: a client could make it ask upstream for, and
  // remember, any number of them.
  const record =
    (await isKnown()) || (await isKnown({ fresh: true }))
      ? await catalogue.target(version, versionPath(version, branch), target)
      : undefined;
  if (record === undefined) throw new RevisionNotFoundError(version, target);
  return { revision: record.revision };
}
